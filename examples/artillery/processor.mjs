/**
 * An Artillery processor: each request and scenario goes to Prometheus, under k6's names.
 *
 * Artillery runs scenarios in several worker threads, and `before` and `after` in the main one. So each worker has an
 * output of its own, with a label and a spool of its own; the main thread gives all of them one `testid` and, in
 * `after`, has them finish and waits for their reports.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";
import { PrometheusRemoteWrite } from "plimsoll";

/**
 * What of Artillery's arguments is used here.
 *
 * @typedef {{ url: string, method?: string, name?: string }} Request
 * @typedef {{ statusCode: number, timings: { phases: Partial<Record<string, number>> } }} Response
 * @typedef {{ vars: Record<string, unknown>, scenario?: { name?: string } }} Context
 * @typedef {import("plimsoll").RunReport} RunReport
 * @typedef {{ workers: Set<number>, reports: Map<number, RunReport> }} Run
 */

/** Longer than `drainTimeout`, the time in which a worker tries to deliver. */
const finishTimeoutMs = 60_000;

/** Worker to main: `hello`, and the report in the end. Main to workers: `finish`. */
const channel = new BroadcastChannel("plimsoll");

/** @type {Run} */
const run = { workers: new Set(), reports: new Map() };
const output = isMainThread ? undefined : await startWorker();
if (isMainThread) {
  // Workers are started with the main thread's variables.
  process.env.PLIMSOLL_TESTID ??= `artillery-${new Date().toISOString().replace(/[-:]|\..*/g, "")}`;
  channel.addEventListener("message", (/** @type {any} */ { data }) => {
    if (data.kind === "hello") run.workers.add(data.worker);
    if (data.kind === "report") run.reports.set(data.worker, data.report);
  });
}

async function startWorker() {
  const worker = `worker-${threadId}`;
  const dataHome = process.env.XDG_DATA_HOME ?? join(homedir(), ".local", "share");
  const started = await PrometheusRemoteWrite.start({
    test: "artillery",
    generator: "artillery",
    // Two workers that write the same series would contradict each other; two on one spool would too.
    tags: { instance_id: worker },
    spoolDir: join(dataHome, "plimsoll", "artillery", worker),
    env: process.env,
    onNotice: (text) => console.error(`${worker}: ${text}`),
  });
  const sendReport = async () => {
    channel.postMessage({ kind: "report", worker: threadId, report: await started.finish() });
  };
  channel.addEventListener("message", (/** @type {any} */ { data }) => {
    if (data.kind === "finish") void sendReport();
  });
  channel.postMessage({ kind: "hello", worker: threadId });
  return started;
}

// Artillery says when to end, not this.
channel.unref();

const requests = output?.counter("http_reqs");
const failed = output?.rate("http_req_failed");
/** The parts of a request, by k6's name and by Artillery's. */
const parts = [
  { trend: output?.trend("http_req_duration"), phases: ["request", "firstByte", "download"] },
  { trend: output?.trend("http_req_blocked"), phases: ["wait", "dns"] },
  { trend: output?.trend("http_req_connecting"), phases: ["tcp"] },
  { trend: output?.trend("http_req_tls_handshaking"), phases: ["tls"] },
  { trend: output?.trend("http_req_sending"), phases: ["request"] },
  { trend: output?.trend("http_req_waiting"), phases: ["firstByte"] },
  { trend: output?.trend("http_req_receiving"), phases: ["download"] },
];
const iterations = output?.counter("iterations");
const iterationDuration = output?.trend("iteration_duration");
const vus = output?.gauge("vus");

/** Scenarios under way, and when they began. @type {Map<Context, number>} */
const active = new Map();
/** Requests that had an answer: where that was not what was expected, there is an error besides. */
const answered = new WeakSet();

/** @param {Context} context */
export async function beforeScenario(context) {
  active.set(context, performance.now());
  vus?.set(active.size);
}

/** @param {Request} request @param {Response} response @param {Context} context */
export async function afterResponse(request, response, context) {
  answered.add(request);
  const { statusCode, timings } = response;
  const isExpected = statusCode < 400;
  const tags = { ...tagsOf(request, context), status: statusCode, expected_response: isExpected };
  requests?.add(1, tags);
  failed?.add(!isExpected, tags);
  for (const { trend, phases } of parts) {
    trend?.add(
      phases.reduce((sum, phase) => sum + (timings.phases[phase] ?? 0), 0),
      tags,
    );
  }
}

/** @param {Error & { code?: string }} error @param {Request} request @param {Context} context */
export async function onError(error, request, context) {
  if (!answered.has(request)) {
    const error_code = error.code ?? "failed";
    const tags = { ...tagsOf(request, context), status: 0, error_code, expected_response: false };
    requests?.add(1, tags);
    failed?.add(true, tags);
  }
  // An error ends the scenario; `afterScenario` is not called.
  active.delete(context);
  vus?.set(active.size);
}

/** @param {Context} context */
export async function afterScenario(context) {
  const startMs = active.get(context);
  active.delete(context);
  vus?.set(active.size);
  if (startMs === undefined) return;
  iterations?.add();
  iterationDuration?.add(performance.now() - startMs);
}

/** @param {Request} request @param {Context} context */
function tagsOf({ url, method = "GET", name }, { scenario }) {
  return { name: name ?? new URL(url).pathname, method, scenario: scenario?.name ?? "default" };
}

/** Of `before`: nothing but this module has to be loaded in the main thread, before there are workers. */
export async function startRun() {
  console.log(`plimsoll: run ${process.env.PLIMSOLL_TESTID}`);
}

/** Of `after`: has every worker deliver what it has recorded, and says what became of it. */
export async function finishRun() {
  channel.ref();
  channel.postMessage({ kind: "finish" });
  const deadlineMs = performance.now() + finishTimeoutMs;
  while (run.reports.size < run.workers.size && performance.now() < deadlineMs) await delay(50);
  channel.close();
  const missing = run.workers.size - run.reports.size;
  if (missing > 0) console.error(`plimsoll: ${missing} workers ended without a report`);
  for (const { samples, points, spoolDirectory } of run.reports.values()) {
    console.log(
      `plimsoll: ${samples.read} samples read, ${points.delivered} of ${points.encoded} points delivered` +
        (points.pending > 0 ? `; ${points.pending} wait in ${spoolDirectory}` : ""),
    );
  }
}

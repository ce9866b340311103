/**
 * A load generator of one file: some users who ask for one page, over and over. It records what k6 would, under k6's
 * names, so that every Plimsoll dashboard shows it.
 *
 *     node examples/custom-runner.mjs http://127.0.0.1:8080/products --vus 5 --duration 10
 *
 * Where to send to, and more, is in PLIMSOLL_* variables, as for the command.
 */
import { parseArgs } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { PrometheusRemoteWrite } from "plimsoll";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    vus: { type: "string", default: "2" },
    duration: { type: "string", default: "5" },
  },
});
const [target = "http://127.0.0.1:8080/products"] = positionals;
const vus = Number(values.vus);

const output = await PrometheusRemoteWrite.start({
  test: "custom-runner",
  tags: { scenario: "default" },
  generator: "custom-runner 1.0",
  env: process.env,
  onNotice: (text) => console.error(text),
});

const requests = output.counter("http_reqs");
const duration = output.trend("http_req_duration");
const waiting = output.trend("http_req_waiting");
const receiving = output.trend("http_req_receiving");
const failed = output.rate("http_req_failed");
const received = output.counter("data_received");
const iterations = output.counter("iterations");
const iterationDuration = output.trend("iteration_duration");
// What is always the same is said once: recording with the handle that `with` gives is fastest.
const isOk = output.rate("checks").with({ check: "status is 200" });
const active = output.gauge("vus");

// Signals are the program's own matter; here the first one ends the test, and the report says so.
const interrupted = new AbortController();
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => interrupted.abort());
}
const endMs = performance.now() + Number(values.duration) * 1_000;
const isOver = () => interrupted.signal.aborted || performance.now() >= endMs;

async function visit() {
  const startMs = performance.now();
  /** @type {Record<string, string | number | boolean>} */
  const tags = { name: target, method: "GET" };
  try {
    const response = await fetch(target);
    const firstByteMs = performance.now();
    const body = await response.arrayBuffer();
    const lastByteMs = performance.now();
    tags.status = response.status;
    tags.expected_response = response.ok;
    duration.add(lastByteMs - startMs, tags);
    waiting.add(firstByteMs - startMs, tags);
    receiving.add(lastByteMs - firstByteMs, tags);
    received.add(body.byteLength);
  } catch (error) {
    tags.status = 0;
    tags.expected_response = false;
    // Without an answer there is a code, such as ECONNREFUSED, one of few; a message could be anything.
    const { cause } = /** @type {Error & { cause?: { code?: string } }} */ (error);
    tags.error = cause?.code ?? "failed";
    duration.add(performance.now() - startMs, tags);
  }
  requests.add(1, tags);
  failed.add(!tags.expected_response, tags);
  isOk.add(tags.status === 200);
}

async function user() {
  while (!isOver()) {
    const startMs = performance.now();
    await visit();
    iterations.add();
    iterationDuration.add(performance.now() - startMs);
    await delay(20);
  }
}

active.set(vus);
const heartbeat = setInterval(() => active.set(vus), 1_000);
await Promise.all(Array.from({ length: vus }, user));
clearInterval(heartbeat);
active.set(0);

const report = await output.finish({
  state: interrupted.signal.aborted ? "aborted_by_user" : "finished",
});
const { samples, points, summary } = report;
console.log(
  `${report.testid}: ${summary.http_reqs?.count ?? 0} requests, ` +
    `${samples.read} samples read, ${samples.aggregated} aggregated; ` +
    `${points.encoded} points encoded, ${points.delivered} delivered, ${points.pending} pending`,
);
if (!report.isComplete) process.exitCode = 3;

/**
 * Runs the demo's load through `plimsoll run`, and looks at the store while it does.
 */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { runPlimsoll } from "./demo-processes.mjs";
import { faultFor } from "./fault-run.mjs";
import { versionText } from "./run.mjs";
import { projectFolder } from "./setup.mjs";

/** Time between two looks at the store, in milliseconds: a twentieth of the freshness that is promised. */
const pollIntervalMs = 100;

/** They keep two connections of the shop's pool busy all the time: enough for ten, too much for two. */
const buyersPerSecond = 50;

/** How long the last requests may take to be queryable once the run is over, in milliseconds. */
const settleMs = 5_000;

/**
 * @typedef {object} Run
 * @property {string} testid
 * @property {number} durationMs
 * @property {string | undefined} fault The shop's, that was on in the middle third.
 * @property {{ name: string, version: string }} generator
 * @property {Counts} generated What the generator itself counted.
 * @property {Report} report
 * @property {RawSamples} raw
 * @property {readonly Poll[]} polls
 * @property {number} endedMs Unix milliseconds.
 *
 * @typedef {object} Report What `plimsoll run --report FILE` writes, as far as the demo reads it.
 * @property {{ read: number, aggregated: number, dropped: Record<string, number> }} samples Dropped by reason.
 * @property {{ encoded: number, delivered: number, pending: number, rejected: Record<string, number> }} points
 * @property {number} bytesSent
 * @property {number} lastPointMs Time stamp of the last points, Unix milliseconds.
 * @property {Counts} summary What was aggregated, before it went to the store.
 * @property {{ differences: { metric: string, stat: string, generator: number }[] }} [reconciliation]
 *
 * @typedef {Record<string, Record<string, number>>} Counts By metric and stat.
 *
 * @typedef {object} RawSamples
 * @property {number} count Samples of all metrics.
 * @property {readonly number[]} requestTimesMs Time stamps of the requests, Unix milliseconds, ascending.
 * @property {readonly number[]} durationsMs Of the requests, ascending.
 *
 * @typedef {object} Poll
 * @property {number} atMs When the answer had come, Unix milliseconds.
 * @property {number} requests What the store counted.
 */

/**
 * @param {object} options
 * @param {string | undefined} options.k6 Without it autocannon makes the load.
 * @param {number} options.durationMs
 * @param {string} options.shopUrl
 * @param {string} options.storeUrl
 * @param {string} options.workFolder Empty.
 * @param {string | undefined} options.fault Of the shop, for the middle third.
 * @param {AbortSignal} options.signal
 * @returns {Promise<Run>}
 */
export async function runDemoLoad(options) {
  const { k6, durationMs, shopUrl, storeUrl, workFolder, fault, signal } = options;
  const duration = `${durationMs / 1_000}s`;
  const testid = `demo-${Date.now().toString(36)}`;
  const samplesFile = path.join(workFolder, "samples.json");
  const reportFile = path.join(workFolder, "report.json");
  const summaryFile = path.join(workFolder, "summary.json");
  const script = path.join(projectFolder, "examples", "checkout.js");
  const variables = { BASE_URL: shopUrl, DURATION: duration, BUYERS_PER_SECOND: buyersPerSecond };
  const environment = Object.entries(variables).flatMap(([name, value]) => [
    "-e",
    `${name}=${value}`,
  ]);
  const load =
    k6 === undefined
      ? [`${shopUrl}/products`, "--vus", "10", "--duration", duration]
      : [script, "--k6", k6, "--summary-export", summaryFile, ...environment];
  const outputs = [
    "--out",
    `prometheus-rw=${storeUrl}/api/v1/write`,
    "--out",
    `json=${samplesFile}`,
  ];
  const identity = ["--testid", testid, "--test", "checkout"];
  const files = ["--data-dir", path.join(workFolder, "data"), "--report", reportFile];

  const count = () => queryNumber(storeUrl, `sum(${totalOf("k6_http_reqs_total", testid)})`);
  /** @type {Poll[]} */
  const polls = [];
  const look = async () => {
    const requests = await count();
    polls.push({ atMs: Date.now(), requests });
    return requests;
  };
  const running = new AbortController();
  const polling = (async () => {
    while (!running.signal.aborted) {
      await look();
      await delay(pollIntervalMs);
    }
  })();
  // A store that goes away is reported below, where the loop is awaited.
  polling.catch(() => {});
  const third = { afterMs: durationMs / 3, forMs: durationMs / 3 };
  const switching =
    fault === undefined
      ? Promise.resolve()
      : faultFor({ shopUrl, fault, ...third, signal: running.signal });
  // Likewise.
  switching.catch(() => {});
  let exitCode;
  try {
    ({ exitCode } = await runPlimsoll(["run", ...load, ...outputs, ...identity, ...files], {
      cwd: workFolder,
      env: cleanEnvironment(),
      signal,
    }));
  } finally {
    running.abort();
  }
  const endedMs = Date.now();
  signal.throwIfAborted();
  await polling;
  // A load that ended before its time has said why.
  await switching.catch((error) => {
    if (!running.signal.aborted || error.name !== "AbortError") throw error;
  });

  const text = await readFile(reportFile, "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new Error(`plimsoll run ended with ${exitCode} and no report; what it said is above`);
  }
  /** @type {Report} */
  const report = JSON.parse(text);
  const raw = await readRawSamples(samplesFile);
  while ((await look()) < raw.requestTimesMs.length && Date.now() < endedMs + settleMs) {
    await delay(pollIntervalMs);
  }
  const generated = k6 === undefined ? autocannonCounts(report) : await k6Counts(summaryFile);
  return {
    testid,
    durationMs,
    fault,
    generator: generatorOf(k6),
    generated,
    report,
    raw,
    polls,
    endedMs,
  };
}

/**
 * The total of each series of a run. The run's series are ended when it is over, so an instant would not see them.
 *
 * @param {string} name
 * @param {string} testid
 * @param {string} [matchers] Further ones, e.g. `condition="zero"`.
 */
export function totalOf(name, testid, matchers = "") {
  return `last_over_time(${name}{testid="${testid}",${matchers}}[1h])`;
}

/**
 * @param {string} storeUrl
 * @param {string} query PromQL that gives at most one element.
 * @param {number} [atMs] Unix milliseconds; default: Prometheus' own time.
 * @returns {Promise<number>} 0 where the result is empty: of what never happened, there is no series.
 */
export async function queryNumber(storeUrl, query, atMs) {
  const response = await fetch(`${storeUrl}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query, ...(atMs && { time: String(atMs / 1_000) }) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Prometheus refuses ${query}: ${text}`);
  /** @type {{ data: { result: { value: [number, string] }[] } }} */
  const { data } = JSON.parse(text);
  return Number(data.result[0]?.value[1] ?? 0);
}

/**
 * k6's own summary, which k6 wrote itself.
 *
 * @param {string} file
 * @returns {Promise<Counts>}
 */
async function k6Counts(file) {
  /** @type {{ metrics: Counts }} */
  const { metrics } = JSON.parse(await readFile(file, "utf8"));
  return metrics;
}

/**
 * autocannon's own result is held against what was aggregated; the report has those counts that are different.
 *
 * @param {Report} report
 * @returns {Counts}
 */
function autocannonCounts({ summary, reconciliation }) {
  /** @type {Counts} */
  const counts = {
    http_reqs: { count: summary["http_reqs"]?.["count"] ?? 0 },
    http_req_failed: { passes: summary["http_req_failed"]?.["nonzero"] ?? 0 },
  };
  for (const { metric, stat, generator } of reconciliation?.differences ?? []) {
    counts[metric] = { ...counts[metric], [stat === "nonzero" ? "passes" : stat]: generator };
  }
  return counts;
}

/**
 * @param {string} file k6's JSON lines.
 * @returns {Promise<RawSamples>}
 */
async function readRawSamples(file) {
  let count = 0;
  const requestTimesMs = [];
  const durationsMs = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { type, metric, data } = JSON.parse(line);
    if (type !== "Point") continue;
    count += 1;
    const timeMs = Date.parse(data.time);
    if (metric === "http_reqs") requestTimesMs.push(timeMs);
    if (metric === "http_req_duration") durationsMs.push(data.value);
  }
  requestTimesMs.sort((a, b) => a - b);
  durationsMs.sort((a, b) => a - b);
  return { count, requestTimesMs, durationsMs };
}

/** Without the options that the user has set for Plimsoll or k6 elsewhere. k6 tells its makers nothing. */
export function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PLIMSOLL|K6)_/.test(name));
  return { ...Object.fromEntries(kept), K6_NO_USAGE_REPORT: "true" };
}

/** @param {string | undefined} k6 */
function generatorOf(k6) {
  if (k6 === undefined) {
    const { version } = createRequire(import.meta.url)("autocannon/package.json");
    return { name: "autocannon", version: String(version) };
  }
  return { name: "k6", version: /\bv(\d\S*)/.exec(versionText(k6) ?? "")?.[1] ?? "" };
}

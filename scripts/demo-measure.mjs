/**
 * Holds what the store answers against what the load generator counted, and against the raw samples.
 */
import { setTimeout as delay } from "node:timers/promises";
import { queryNumber, totalOf } from "./demo-load.mjs";
import { askWhatAnswers } from "./fault-run.mjs";

/** How far a stored quantile may be from the exact one, in percent: what Plimsoll promises. */
const tolerancePercent = 1;

/** The shop is scraped each second; a scrape that began after the end has seen every request. */
const scrapeTimeoutMs = 5_000;

/**
 * What is counted on both sides: its name here, the generator's metric and stat, and which of the store's series.
 * k6 calls samples of a rate `passes` when they are not zero; of `http_req_failed`, those are the failures.
 */
const counters = [
  { name: "requests", metric: "http_reqs", stat: "count", matchers: "" },
  { name: "iterations", metric: "iterations", stat: "count", matchers: "" },
  {
    name: "requestsFailed",
    metric: "http_req_failed",
    stat: "passes",
    matchers: 'condition="nonzero"',
  },
  { name: "checksPassed", metric: "checks", stat: "passes", matchers: 'condition="nonzero"' },
  { name: "checksFailed", metric: "checks", stat: "fails", matchers: 'condition="zero"' },
];

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 };

/**
 * @typedef {{ generated: number, stored: number, difference: number }} Count
 * @typedef {{ stored: number, exact: number, differencePercent: number }} Quantile
 * @typedef {Awaited<ReturnType<typeof measureRun>>} Measured
 */

/**
 * @param {import("./demo-load.mjs").Run} run
 * @param {string} storeUrl
 * @param {number} scrapeSeconds
 */
export async function measureRun(run, storeUrl, scrapeSeconds) {
  const { testid, generated, report, raw, polls, endedMs } = run;
  const query = (/** @type {string} */ text) => queryNumber(storeUrl, text, endedMs);

  /** @type {Record<string, Count>} */
  const counts = {};
  for (const { name, metric, stat, matchers } of counters) {
    const counted = generated[metric]?.[stat];
    // autocannon makes no checks.
    if (counted === undefined) continue;
    const stored = await query(`sum(${totalOf(`k6_${metric}_total`, testid, matchers)})`);
    counts[name] = { generated: counted, stored, difference: stored - counted };
  }

  // Prometheus 2.42 has no `last_over_time` of histograms; at the time of the last points they are not ended yet.
  const atMs = report.lastPointMs;
  const histogram = `sum(k6_http_req_duration_seconds{testid="${testid}"})`;
  const observations = await queryNumber(storeUrl, `histogram_count(${histogram})`, atMs);
  /** @type {Record<string, Quantile>} */
  const latencyMs = {};
  for (const [name, q] of Object.entries(quantiles)) {
    const seconds = await queryNumber(storeUrl, `histogram_quantile(${q}, ${histogram})`, atMs);
    const stored = 1_000 * seconds;
    const exact = quantileOf(raw.durationsMs, q);
    latencyMs[name] = { stored, exact, differencePercent: 100 * (stored / exact - 1) };
  }

  const fresh = freshnessMs(raw.requestTimesMs, polls);
  return {
    counts,
    failedShare: {
      generated: shareOf(counts["requestsFailed"]?.generated, counts["requests"]?.generated),
      stored: shareOf(counts["requestsFailed"]?.stored, counts["requests"]?.stored),
    },
    latencyMs,
    latencyObservations: observations,
    freshnessMs: { p50: quantileOf(fresh, 0.5), p99: quantileOf(fresh, 0.99) },
    bytesPerSample: report.bytesSent / report.points.delivered,
    samples: {
      read: report.samples.read,
      dropped: sumOf(report.samples.dropped),
      delivered: report.points.delivered,
      pending: report.points.pending,
    },
    shop: { requests: await shopRequests(storeUrl, endedMs) },
    slowPhase:
      run.fault === undefined
        ? undefined
        : await askWhatAnswers({
            storeUrl,
            testid,
            endMs: atMs,
            rangeSeconds: Math.ceil(run.durationMs / 1_000),
            scrapeSeconds,
          }),
  };
}

/**
 * Why a run does not reconcile, one text for each reason.
 *
 * @param {import("./demo-load.mjs").Run} run
 * @param {Measured} measured
 * @returns {string[]}
 */
export function problemsOf({ report, raw }, { counts, latencyMs, latencyObservations }) {
  const { read, aggregated } = report.samples;
  const { encoded, delivered, pending } = report.points;
  const dropped = sumOf(report.samples.dropped);
  const rejected = sumOf(report.points.rejected);
  /** @type {[what: string, actual: number | undefined, expected: number][]} */
  const mustBeEqual = [
    ["samples read, of those in the raw file", read, raw.count],
    ["samples aggregated and dropped, of those read", aggregated + dropped, read],
    ["samples dropped", dropped, 0],
    [
      "points delivered, pending and rejected, of those encoded",
      delivered + pending + rejected,
      encoded,
    ],
    ["points delivered, of those encoded", delivered, encoded],
    [
      "requests counted by the generator, of those in the raw file",
      counts["requests"]?.generated,
      raw.requestTimesMs.length,
    ],
    [
      "observations in the stored histogram, of the raw file's",
      latencyObservations,
      raw.durationsMs.length,
    ],
    ...Object.entries(counts).map(
      ([name, { generated, stored }]) =>
        /** @type {[string, number, number]} */ ([
          `${wordsOf(name)} stored, of those generated`,
          stored,
          generated,
        ]),
    ),
  ];
  const unequal = mustBeEqual.filter(([, actual, expected]) => actual !== expected);
  const inexact = Object.entries(latencyMs).filter(
    // Written so that NaN is a problem.
    ([, { differencePercent }]) => !(Math.abs(differencePercent) <= tolerancePercent),
  );
  return [
    ...unequal.map(([what, actual, expected]) => `${what}: ${actual}, expected ${expected}`),
    ...inexact.map(
      ([name, { stored, exact }]) =>
        `latency ${name}: ${stored} ms stored is not within ${tolerancePercent} % of ${exact} ms`,
    ),
  ];
}

/**
 * @param {Measured & { generator: { name: string, version: string }, prometheus: { version: string }, reconciled: boolean }} result
 */
export function toTable(result) {
  const { generator, prometheus, counts, latencyMs, failedShare, freshnessMs, samples } = result;
  const rows = [
    [
      "",
      `${generator.name} ${generator.version}`,
      `Prometheus ${prometheus.version}`,
      "difference",
    ],
    ...Object.entries(counts).map(([name, count]) => [
      wordsOf(name),
      ...Object.values(count).map(String),
    ]),
    ["failed share", percent(failedShare.generated), percent(failedShare.stored), ""],
    ...Object.entries(latencyMs).map(([name, { stored, exact, differencePercent }]) => [
      `latency ${name}`,
      `${exact.toFixed(2)} ms`,
      `${stored.toFixed(2)} ms`,
      `${differencePercent.toFixed(2)} %`,
    ]),
    ["requests that the shop counted", "", String(result.shop.requests), ""],
    ["freshness p50, p99", "", `${freshnessMs.p50} ms, ${freshnessMs.p99} ms`, ""],
    ["bytes per sample", "", result.bytesPerSample.toFixed(1), ""],
    ["samples read, points delivered", String(samples.read), String(samples.delivered), ""],
    ["points pending, samples dropped", "", `${samples.pending}, ${samples.dropped}`, ""],
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("   ")
      .trimEnd(),
  );
  const verdict = result.reconciled ? "everything reconciles" : "it does NOT reconcile";
  return [...lines, "", verdict, "", ...slowPhaseLines(result.slowPhase)].join("\n");
}

/**
 * What the Correlation dashboard has on top.
 *
 * @param {import("./fault-run.mjs").Attribution | undefined} slowPhase
 */
function slowPhaseLines(slowPhase) {
  if (slowPhase === undefined) return ["no Postgres here, so nothing was slow on purpose"];
  const [first] = slowPhase.answers;
  const others = slowPhase.answers.slice(1).map(({ share }) => share);
  return [
    `the clients' p95 was slow in ${percent(slowPhase.slowShare)} of the run; ` +
      (first === undefined
        ? "nothing was measured that could answer for it"
        : `what answers for it: ${first.resource} (${percent(first.share)}; the next ${percent(Math.max(0, ...others))})`),
    ...(first === undefined ? [] : [`what to do: ${first.advice}`]),
  ];
}

/**
 * From sample to queryable: for the n-th request, by its time stamp, how long until a query first counted n or more.
 * Requests that were never seen are left out; the stored count lacks them as well.
 *
 * @param {readonly number[]} requestTimesMs Ascending.
 * @param {readonly import("./demo-load.mjs").Poll[]} polls
 * @returns {number[]} Ascending.
 */
function freshnessMs(requestTimesMs, polls) {
  let at = 0;
  const result = [];
  for (const [index, timeMs] of requestTimesMs.entries()) {
    let poll = polls[at];
    while (poll && poll.requests <= index) poll = polls[(at += 1)];
    if (poll) result.push(poll.atMs - timeMs);
  }
  return result.sort((a, b) => a - b);
}

/**
 * What the shop itself counted, as it was scraped after the end.
 *
 * @param {string} storeUrl
 * @param {number} endedMs
 */
async function shopRequests(storeUrl, endedMs) {
  const query = (/** @type {string} */ text) => queryNumber(storeUrl, text);
  const deadlineMs = Date.now() + scrapeTimeoutMs;
  const scrapedMs = async () => 1_000 * (await query('timestamp(up{job="shop"})'));
  while ((await scrapedMs()) <= endedMs && Date.now() < deadlineMs) await delay(100);
  return await query('sum(http_request_duration_seconds_count{job="shop"})');
}

/**
 * The nearest-rank quantile: the smallest value that at least the share `q` of all does not exceed.
 *
 * @param {readonly number[]} sorted Ascending.
 * @param {number} q From 0 to 1.
 */
function quantileOf(sorted, q) {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}

/** @param {number | undefined} part @param {number | undefined} whole */
function shareOf(part = 0, whole = 0) {
  return whole === 0 ? 0 : part / whole;
}

/** @param {Record<string, number>} byReason */
function sumOf(byReason) {
  return Object.values(byReason).reduce((sum, count) => sum + count, 0);
}

/** `checksPassed` is "checks passed". @param {string} name */
function wordsOf(name) {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}

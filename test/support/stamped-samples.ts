/**
 * Measures how fresh a store is: samples that say when they were taken, and a store that is asked, over and over, for
 * the newest that it has.
 *
 * The samples go through the standard input of `plimsoll ingest -` as k6 writes them: taken at any time, written
 * every 200 ms. (Source: k6 `internal/output/json/json.go`.)
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { K6Results } from "./k6-results.ts";
import { startPlimsoll } from "./plimsoll.ts";
import type { MetricsStore } from "./prometheus.ts";

const flushMs = 200;
/** A hundredth of what freshness is promised to be, about. */
const pollMs = 25;
/** How long samples are waited for after the last one was written. */
const settleMs = 10_000;

export interface FreshnessOptions {
  readonly store: MetricsStore;
  readonly testid: string;
  /** For the spool. */
  readonly folder: string;
  /** Of the samples: their number from one, or the number of all so far. */
  readonly metric: { readonly name: string; readonly type: "counter" | "gauge" };
  readonly count: number;
  /** Between two samples. */
  readonly everyMs: number;
}

export interface Freshness {
  /** From a sample to the first answer that has it, in milliseconds, ascending: one for each sample. */
  readonly delaysMs: readonly number[];
  /** How many samples no answer had. */
  readonly lost: number;
}

export async function measureFreshness(options: FreshnessOptions): Promise<Freshness> {
  const { store, testid, folder, metric, count, everyMs } = options;
  const outputs = ["--out", `prometheus-rw=${store.writeUrl}`, "--testid", testid];
  await using plimsoll = startPlimsoll(["ingest", "-", ...outputs], { folder, isStdinOpen: true });

  const takenMs: number[] = [];
  let lines = `${JSON.stringify({ type: "Metric", metric: metric.name, data: { ...metric, contains: "default" } })}\n`;
  const flush = setInterval(() => {
    plimsoll.stdin.write(lines);
    lines = "";
  }, flushMs);

  const series = `k6_${metric.name}${metric.type === "counter" ? "_total" : ""}{testid="${testid}"}`;
  const seenMs: number[] = [];
  const isOver = new AbortController();
  const polling = watch(
    store,
    series,
    seenMs,
    () => isOver.signal.aborted || seenMs.length >= count,
  );
  try {
    const startMs = Date.now();
    while (takenMs.length < count) {
      await delay(startMs + takenMs.length * everyMs - Date.now());
      const atMs = Date.now();
      takenMs.push(atMs);
      const value = metric.type === "counter" ? 1 : takenMs.length;
      const data = { time: new Date(atMs).toISOString(), value, tags: { scenario: "default" } };
      lines += `${JSON.stringify({ type: "Point", metric: metric.name, data })}\n`;
    }
    // The last lines wait like all others.
    await delay(flushMs);
    plimsoll.stdin.end(lines);
    lines = "";
    await plimsoll.result;
    await Promise.race([polling, delay(settleMs, undefined, { ref: false })]);
  } finally {
    clearInterval(flush);
    isOver.abort();
    await polling;
  }
  const delaysMs = seenMs.map((atMs, index) => atMs - (takenMs[index] ?? NaN));
  return { delaysMs: delaysMs.sort((a, b) => a - b), lost: count - seenMs.length };
}

/** The same of the iterations of a run, which k6 itself writes down beside. Half a minute, its start and end included. */
export async function measureRunFreshness({
  k6,
  store,
  testid,
  folder,
}: Pick<FreshnessOptions, "store" | "testid" | "folder"> & {
  readonly k6: string;
}): Promise<Freshness> {
  const [script, samples, summary] = ["freshness.js", "samples.json", "summary.json"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const executor = '"constant-arrival-rate", rate: 100, duration: "10s", preAllocatedVUs: 5';
  await writeFile(
    script,
    `export const options = { scenarios: { all: { executor: ${executor} } } }; export default () => {};`,
  );
  const outputs = [`--out=prometheus-rw=${store.writeUrl}`, `--out=json=${samples}`];
  const flags = [`--k6=${k6}`, "--k6-samples=buckets", `--summary-export=${summary}`];
  await using plimsoll = startPlimsoll(["run", script, ...flags, ...outputs, "--testid", testid], {
    folder,
  });
  const seenMs: number[] = [];
  let isOver = false;
  const series = `k6_iterations_total{testid="${testid}"}`;
  const polling = watch(store, series, seenMs, () => isOver);
  const { exitCode, stderr } = await plimsoll.result;
  if (exitCode !== 0) throw new Error(`plimsoll ended with ${exitCode}:\n${stderr}`);
  await delay(10 * pollMs);
  isOver = true;
  await polling;
  const results = await K6Results.read(samples, summary);
  const takenMs = results.samples
    .filter(({ metric }) => metric === "iterations")
    .map(({ timeMs }) => timeMs)
    .sort((a, b) => a - b);
  const delaysMs = seenMs.map((atMs, index) => atMs - (takenMs[index] ?? NaN));
  return { delaysMs: delaysMs.sort((a, b) => a - b), lost: takenMs.length - seenMs.length };
}

/** Asks for the newest value of a series that counts samples, and keeps when each was seen first. */
async function watch(
  store: MetricsStore,
  series: string,
  seenMs: number[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const [newest] = await store.query(`last_over_time(${series}[1m])`);
    const atMs = Date.now();
    while (seenMs.length < (newest?.value ?? 0)) seenMs.push(atMs);
    await delay(pollMs);
  }
}

/**
 * What a store answers about a run equals what k6 counted: every example, in both k6 versions, in each store.
 *
 * Each run goes live to one of the stores (in turn) and by `ingest` of k6's own file to the others. k6's side is its
 * end-of-test summary and its samples, read here with `JSON.parse` alone; the store's side is its query API.
 */
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantileRange, type RawSample } from "../support/k6-results.ts";
import {
  ingestRun,
  recordRun,
  type IngestedRun,
  type RecordedRun,
} from "../support/recorded-run.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { storeKinds, type RunStore, type StoreKind } from "../support/stores.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool, findTool } from "../support/tools.ts";

const pushIntervalMs = 1_000;

interface Example {
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly state?: string;
  readonly exitCode?: number;
}

const examples: readonly Example[] = [
  { script: "short.js", exitCode: 0 },
  { script: "custom-metrics.js", exitCode: 0 },
  { script: "odd-tags.js", exitCode: 0 },
  { script: "checks-and-groups.js", env: { FAIL_THRESHOLD: "1" }, exitCode: 99 },
  { script: "failed-requests.js", exitCode: 0 },
  { script: "abort-on-fail.js", state: "aborted_by_threshold", exitCode: 99 },
  { script: "scenarios.js", env: { DURATION: "3s" }, exitCode: 0 },
  // Its thresholds are about speed, which is no matter of this test.
  { script: "checkout.js", env: { DURATION: "4s" } },
];

const k6Versions = [
  { name: "k6 v2", tool: "k6-2" },
  { name: "k6 v1", tool: "k6-1" },
] as const;

/** What the dashboards for k6's own output ask for. */
const dashboardNames = [
  "k6_checks_rate",
  "k6_data_received_total",
  "k6_data_sent_total",
  "k6_http_req_blocked_p99",
  "k6_http_req_connecting_p99",
  "k6_http_req_duration_p99",
  "k6_http_req_failed_rate",
  "k6_http_req_receiving_p99",
  "k6_http_req_sending_p99",
  "k6_http_req_tls_handshaking_p99",
  "k6_http_req_waiting_p99",
  "k6_http_reqs_total",
  "k6_iteration_duration_p99",
  "k6_iterations_total",
  "k6_vus",
  "k6_vus_max",
];

let shop: Shop;
let folder: TemporaryFolder;
const stores = new Map<StoreKind, RunStore>();
beforeAll(async () => {
  shop = await startShop();
  folder = await createTemporaryFolder();
  for (const kind of storeKinds) {
    const program = findTool(kind.tool);
    if (program !== undefined) stores.set(kind, await kind.start(program));
  }
});
afterAll(async () => {
  for (const resource of [...stores.values(), shop, folder])
    await resource?.[Symbol.asyncDispose]();
});

for (const [turn, { name, tool }] of k6Versions.entries()) {
  describeWithTool(tool, name, (k6) => {
    for (const [index, { script, env, state = "finished", exitCode }] of examples.entries()) {
      describe(script, () => {
        const testid = `${tool}-${script.replace(".js", "")}`;
        let live: StoreKind;
        let run: RecordedRun;
        const ingested = new Map<StoreKind, IngestedRun>();
        beforeAll(async () => {
          const kinds = [...stores.keys()];
          const chosen = kinds[(index + turn) % kinds.length];
          if (!chosen) throw new Error("there is no store to run against");
          live = chosen;
          const options = { testid, folder: folder.path, args: ["--test", script] };
          run = await recordRun({
            ...options,
            ...{ k6, script, env: { BASE_URL: shop.url, ...env } },
            writeUrl: storeOf(live).writeUrl,
          });
          for (const kind of kinds) {
            const { writeUrl } = storeOf(kind);
            if (kind === live) continue;
            ingested.set(kind, await ingestRun(run.file, { ...options, writeUrl }));
          }
          await Promise.all(kinds.map((kind) => storeOf(kind).settle(testid)));
        });

        it("ends with k6's exit code", () => {
          const hasFailed = thresholdsOf(run).some(({ ok }) => !ok);
          expect(run.end.exitCode, run.end.stderr).toBe(hasFailed ? 99 : 0);
          if (exitCode !== undefined) expect(run.end.exitCode).toBe(exitCode);
        });

        it("accounts for every sample and point, live and ingested", async () => {
          for (const { end, report, spoolDirectory } of [run, ...ingested.values()]) {
            const { samples, points } = report;
            const { length } = run.raw.samples;
            expect(samples).toMatchObject({ read: length, aggregated: length });
            expect(samples.dropped).toEqual({});
            expect(points).toMatchObject({ delivered: points.encoded, pending: 0 });
            expect(points.rejected).toEqual({});
            expect(points.encoded).toBeGreaterThan(report.series.made);
            expect(await readdir(spoolDirectory)).toEqual([]);
            expect(end.stdout + end.stderr).not.toContain("bug in plimsoll");
          }
          for (const { end } of ingested.values()) expect(end.exitCode, end.stderr).toBe(0);
        });

        it("reconciles with k6's summary by itself", () => {
          expect(run.report.reconciliation?.differences).toEqual([]);
          expect(run.report.reconciliation?.compared).toBe(countsOf(run).size);
        });

        for (const kind of storeKinds) {
          describeWithTool(kind.tool, kind.name, () => {
            it("has k6's own totals, to the last one", async () => {
              const expected = countsOf(run);
              expect(expected.size).toBeGreaterThan(5);
              const totals = await storeOf(kind).query(
                `sum by (__name__, condition) ({__name__=~"k6_.*_total",testid="${testid}"})`,
                await lastPointSeconds(storeOf(kind), testid),
              );
              const stored = totals.map(
                ({ metric, value }) =>
                  [countKey(metric["__name__"] ?? "", metric["condition"]), value] as const,
              );
              expectCounts(new Map(stored), expected);
            });

            it("has them by tag as well", async () => {
              const store = storeOf(kind);
              const labels = ["scenario", "group", "name", "status", "check", "team"];
              const totals = await store.query(
                `sum by (__name__, condition, ${labels.join()}) ({__name__=~"k6_.*_total",testid="${testid}"})`,
                await lastPointSeconds(store, testid),
              );
              const stored = totals.map(({ metric, value }) => {
                const key = countKey(metric["__name__"] ?? "", metric["condition"]);
                return [tagKey(key, labels, metric), value] as const;
              });
              const expected = new Map<string, number>();
              for (const { metric, value, tags } of run.raw.samples) {
                const { type } = run.raw.metrics.get(metric) ?? {};
                const add = (condition: string | undefined, increment: number): void => {
                  const key = tagKey(countKey(`k6_${metric}_total`, condition), labels, tags);
                  expected.set(key, (expected.get(key) ?? 0) + increment);
                };
                if (type === "counter") add(undefined, value);
                if (type !== "rate") continue;
                add("nonzero", value === 0 ? 0 : 1);
                add("zero", value === 0 ? 1 : 0);
              }
              expectCounts(new Map(stored), expected);
            });

            // `increase()` is exact here because each counter has a zero first and a point at the run's last instant:
            // evaluated there, nothing is extrapolated to the right, and Prometheus extrapolates a counter to the left
            // only as far as it would have been zero. So it matters neither how far the range reaches before the zero,
            // nor that it includes its left end in Prometheus 2 and not in 3.
            it("has k6's own totals as increase() over the run", async () => {
              const store = storeOf(kind);
              const atSeconds = await lastPointSeconds(store, testid);
              const range = `${Math.ceil(atSeconds * 1_000 - run.raw.oldestMs + 3 * pushIntervalMs)}ms`;
              const names = new Set(
                [...countsOf(run).keys()].map((key) => key.split(" ")[0] ?? ""),
              );
              const increases = new Map<string, number>();
              for (const name of names) {
                const query = `sum by (condition) (increase(${name}{testid="${testid}"}[${range}]))`;
                for (const { metric, value } of await store.query(query, atSeconds)) {
                  increases.set(countKey(name, metric["condition"]), value);
                }
              }
              expectCounts(increases, countsOf(run));
            });

            it("has the last value of each gauge", async () => {
              const store = storeOf(kind);
              const gauges = namesOf(run, "gauge");
              // k6 counts its VUs once a second.
              const isLong = run.raw.newestMs - run.raw.oldestMs > 1_500;
              if (isLong) expect(gauges).toEqual(expect.arrayContaining(["vus", "vus_max"]));
              const stored = new Map<string, number>();
              const expected = new Map<string, number>();
              for (const gauge of gauges) {
                const atSeconds = await lastPointSeconds(store, testid);
                const results = await store.query(`k6_${gauge}{testid="${testid}"}`, atSeconds);
                expect(results).toHaveLength(1);
                stored.set(gauge, results[0]?.value ?? NaN);
                expected.set(gauge, lastValue(run, gauge));
              }
              expectCounts(stored, expected);
            });

            it("has every observation of each trend", async () => {
              const store = storeOf(kind);
              const atSeconds = await lastPointSeconds(store, testid);
              const trends = namesOf(run, "trend");
              expect(trends.length).toBeGreaterThan(7);
              const stored = new Map<string, number>();
              const expected = new Map<string, number>();
              for (const trend of trends) {
                const values = observations(run, trend);
                expected.set(`${trend} count`, values.length);
                expected.set(
                  `${trend} sum`,
                  values.reduce((sum, value) => sum + value, 0),
                );
                for (const stat of ["count", "sum"]) {
                  const family = `${familyOf(run, trend)}`;
                  const [result, ...more] = await store.query(
                    kind.trends === "native"
                      ? `histogram_${stat}(sum(${family}{testid="${testid}"}))`
                      : `sum(${family}_${stat}{testid="${testid}"})`,
                    atSeconds,
                  );
                  expect(more).toEqual([]);
                  stored.set(`${trend} ${stat}`, result?.value ?? NaN);
                }
              }
              expectCounts(stored, expected);
            });

            if (kind.trends === "native") {
              it("knows quantiles to within 1 %, over all series and by name", async () => {
                const store = storeOf(kind);
                const atSeconds = await lastPointSeconds(store, testid);
                let compared = 0;
                for (const trend of namesOf(run, "trend")) {
                  // Sixteenths part the eight values of custom-metrics.js' `temperature`: negative, zero, positive.
                  for (const q of [1 / 16, 5 / 16, 0.5, 9 / 16, 11 / 16, 0.9, 0.95, 0.99]) {
                    const histograms = `${familyOf(run, trend)}{testid="${testid}"}`;
                    const query = `histogram_quantile(${q}, sum by (name) (${histograms}))`;
                    const all = `histogram_quantile(${q}, sum(${histograms}))`;
                    for (const { metric, value } of [
                      ...(await store.query(all, atSeconds)).map((result) => ({
                        ...result,
                        metric: undefined,
                      })),
                      ...(await store.query(query, atSeconds)),
                    ]) {
                      const values = observations(
                        run,
                        trend,
                        metric && (({ tags }) => (tags["name"] ?? "") === (metric["name"] ?? "")),
                      );
                      expectQuantile(value, values, q);
                      compared++;
                    }
                  }
                }
                expect(compared).toBeGreaterThan(7 * 8 * 2);
              });
            } else {
              it("has every observation in its bucket", async () => {
                const store = storeOf(kind);
                const atSeconds = await lastPointSeconds(store, testid);
                for (const trend of namesOf(run, "trend")) {
                  const values = observations(run, trend);
                  const buckets = `${familyOf(run, trend)}_bucket{testid="${testid}"}`;
                  const results = await store.query(`sum by (le) (${buckets})`, atSeconds);
                  expect(results.length).toBeGreaterThan(30);
                  for (const { metric, value } of results) {
                    const bound = Number(metric["le"]?.replace("Inf", "Infinity"));
                    expect(value).toBe(values.filter((observed) => observed <= bound).length);
                  }
                }
              });
            }

            it("has k6's p(99) of each trend that is one series", async () => {
              const store = storeOf(kind);
              const atSeconds = await lastPointSeconds(store, testid);
              let compared = 0;
              for (const trend of namesOf(run, "trend")) {
                const results = await store.query(`k6_${trend}_p99{testid="${testid}"}`, atSeconds);
                expect(results.length).toBeGreaterThan(0);
                const [only, ...more] = results;
                if (!only || more.length > 0) continue;
                const isTime = run.raw.metrics.get(trend)?.contains === "time";
                const p99 = run.summary.get(trend)?.values["p(99)"] ?? NaN;
                expectWithin1Percent(only.value, isTime ? p99 / 1_000 : p99);
                compared++;
              }
              if (script === "short.js") expect(compared).toBeGreaterThan(7);
            });

            it("ends the run's series a millisecond after their last point, and keeps the run's own", async () => {
              const store = storeOf(kind);
              const lastSeconds = await lastPointSeconds(store, testid);
              // Live, time may have gone on without samples before k6 ended.
              const delayMs = lastSeconds * 1_000 - intervalEnd(run.raw.newestMs);
              expect(delayMs % pushIntervalMs).toBe(0);
              if (kind === live) expect(delayMs).toBeGreaterThanOrEqual(0);
              else expect(delayMs).toBe(0);
              const series = `{__name__=~"k6_.+",testid="${testid}"}`;
              expect((await store.query(series, lastSeconds)).length).toBeGreaterThan(15);
              expect(await store.query(series, lastSeconds + 1)).toEqual([]);
              const own = `{__name__=~"plimsoll_run_.+",testid="${testid}"}`;
              expect((await store.query(own, lastSeconds + 1)).length).toBeGreaterThan(15);
            });

            it("says when the run was and how it ended", async () => {
              const store = storeOf(kind);
              const afterSeconds = (await lastPointSeconds(store, testid)) + 0.001;
              const ask = async (expression: string) =>
                (await store.query(expression, afterSeconds)).map(({ metric, value }) => ({
                  ...metric,
                  value,
                }));
              const times = await ask(
                `{__name__=~"plimsoll_run_(start|end)_time_seconds",testid="${testid}"}`,
              );
              expect(new Set(times.map(({ value }) => value))).toEqual(
                new Set([run.raw.oldestMs / 1_000, run.raw.newestMs / 1_000]),
              );
              const states = await ask(`plimsoll_run_state{testid="${testid}"} == 1`);
              // The file does not say why it ends.
              const expected = kind === live ? state : "finished";
              expect(states).toMatchObject([{ state: expected }]);
              const thresholds = await ask(`plimsoll_threshold_ok{testid="${testid}"}`);
              expect(
                thresholds
                  .map(({ metric, threshold, value }: Record<string, unknown>) => ({
                    metric,
                    threshold,
                    ok: value === 1,
                  }))
                  .sort(byText),
              ).toEqual(kind === live ? thresholdsOf(run).sort(byText) : []);
            });

            if (script === "checkout.js") {
              it("has the series that dashboards for k6's own output ask for", async () => {
                expect(await seriesNames(kind, testid)).toEqual(
                  expect.arrayContaining([
                    ...dashboardNames,
                    ...(kind.trends === "native" ? ["k6_http_req_duration_seconds"] : []),
                  ]),
                );
              });
            }

            if (script === "scenarios.js") {
              it("has the iterations that k6 dropped", async () => {
                expect(await seriesNames(kind, testid)).toContain("k6_dropped_iterations_total");
              });
            }

            if (script === "odd-tags.js") {
              it("has every tag that can be a label, under a name that can be one", async () => {
                const atSeconds = await lastPointSeconds(storeOf(kind), testid);
                const loads = await storeOf(kind).query(
                  `k6_loads_total{testid="${testid}"}`,
                  atSeconds,
                );
                const common = {
                  __name__: "k6_loads_total",
                  testid,
                  test: script,
                  scenario: "default",
                  run_label: "odd tags",
                };
                expect(loads.map(({ value }) => value)).toEqual(oddLabels.map(() => 3));
                expect(loads.map(({ metric }) => labelsText(metric)).sort()).toEqual(
                  oddLabels.map((labels) => labelsText({ ...common, ...labels })).sort(),
                );
              });
            }
          });
        }
      });
    }
  });
}

/** What becomes of each set of tags in odd-tags.js: the labels, beside those that all have. */
const oddLabels: readonly Readonly<Record<string, string>>[] = [
  // Of tags that become one label, the first by name is kept: " " < "-" < "." < "_".
  { my_tag: "spaces" },
  { col_lide: "third" },
  { tag____: "кириллица", _: "值", _and_: "é" },
  { _1st: "leading digit", _42: "only digits" },
  { tag__name__: "k6_stolen_total", tag__address__: "reserved", le: "0.5", quantile: "0.9" },
  { job: "not-ours", instance: "not-ours" },
  { Zone: "upper case", zone: "lower case", a_b: "slash" },
  { blank: " ", number: "1.5", yes: "true", no: "false" },
  { quoted: 'say "ahoy"', lines: "first\nsecond\r\n\tthird", back: "C:\\hold\\new", nul: "\0" },
  { markup: "<b>&amp;</b>", separator: "\u2028\u2029", brace: '{a="b"}', group: "::fake::group" },
  // Cut to what every store takes.
  { long: "x".repeat(2_048), ["n".repeat(200)]: "long name" },
];

function storeOf(kind: StoreKind): RunStore {
  const store = stores.get(kind);
  if (!store) throw new Error(`${kind.name} has not been started`);
  return store;
}

/** The run's own series are written a millisecond after the last point of all others. */
async function lastPointSeconds(store: RunStore, testid: string): Promise<number> {
  const [end] = await store.query(`timestamp(plimsoll_run_end_time_seconds{testid="${testid}"})`);
  return Math.round((end?.value ?? NaN) * 1_000 - 1) / 1_000;
}

/** The end of the push interval that holds a time. */
function intervalEnd(timeMs: number): number {
  return (Math.floor(timeMs / pushIntervalMs) + 1) * pushIntervalMs;
}

function namesOf({ raw }: RecordedRun, type: string): string[] {
  return [...raw.metrics].filter((entry) => entry[1].type === type).map(([name]) => name);
}

/** All counts of k6's summary: of counters, and of rates, whose two halves are counters in the store. */
function countsOf(run: RecordedRun): Map<string, number> {
  const counts = new Map<string, number>();
  const values = (name: string) => run.summary.get(name)?.values ?? {};
  for (const name of namesOf(run, "counter")) {
    counts.set(countKey(`k6_${name}_total`), values(name)["count"] ?? NaN);
  }
  for (const name of namesOf(run, "rate")) {
    counts.set(countKey(`k6_${name}_total`, "nonzero"), values(name)["passes"] ?? NaN);
    counts.set(countKey(`k6_${name}_total`, "zero"), values(name)["fails"] ?? NaN);
  }
  return counts;
}

function countKey(series: string, condition?: string): string {
  return condition === undefined ? series : `${series} ${condition}`;
}

/** An empty tag is no label. */
function tagKey(
  key: string,
  labels: readonly string[],
  tags: Readonly<Record<string, string>>,
): string {
  return `${key} ${JSON.stringify(labels.map((label) => tags[label] ?? ""))}`;
}

/** Whole numbers are equal; sums of fractions depend on their order, in their last digits. */
function expectCounts(
  stored: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): void {
  const rounded = [...stored].map(([name, value]) => {
    const exact = expected.get(name) ?? NaN;
    const isWhole = Number.isInteger(exact) && Number.isInteger(value);
    const isClose =
      !isWhole && Math.abs(value - exact) <= 1e-9 * Math.abs(exact) + Number.MIN_VALUE;
    return [name, isClose ? exact : value] as const;
  });
  expect(Object.fromEntries(rounded)).toEqual(Object.fromEntries(expected));
}

function observations(
  { raw }: RecordedRun,
  trend: string,
  isWanted: (sample: RawSample) => boolean = () => true,
): number[] {
  const divisor = raw.metrics.get(trend)?.contains === "time" ? 1_000 : 1;
  return raw.samples
    .filter((sample) => sample.metric === trend && isWanted(sample))
    .map(({ value }) => value / divisor);
}

function familyOf({ raw }: RecordedRun, trend: string): string {
  return raw.metrics.get(trend)?.contains === "time" ? `k6_${trend}_seconds` : `k6_${trend}`;
}

/** The newest value by its time; of those in the same millisecond, the one that k6 wrote last. */
function lastValue({ raw, summary }: RecordedRun, gauge: string): number {
  const samples = raw.samples.filter(({ metric }) => metric === gauge);
  const newestMs = Math.max(...samples.map(({ timeMs }) => timeMs));
  const newest = samples.findLast(({ timeMs }) => timeMs === newestMs);
  // k6's last value is the one that reached it last, which VUs can make another one.
  if (newest === samples.at(-1)) expect(newest?.value).toBe(summary.get(gauge)?.values["value"]);
  return newest?.value ?? NaN;
}

function expectQuantile(value: number, values: readonly number[], q: number): void {
  const { low, high } = quantileRange(values, q);
  if (value < low) expectWithin1Percent(value, low);
  else if (!(value <= high)) expectWithin1Percent(value, high);
}

function expectWithin1Percent(value: number, exact: number): void {
  // The zero bucket is as wide as 2^-128.
  const allowed = 0.01 * Math.abs(exact) + 2 ** -128;
  expect(Math.abs(value - exact), `${value}, expected ${exact}`).toBeLessThanOrEqual(allowed);
}

interface Threshold {
  readonly metric: unknown;
  readonly threshold: unknown;
  readonly ok: boolean;
}

function thresholdsOf({ summary }: RecordedRun): Threshold[] {
  return [...summary].flatMap(([metric, { failed }]) =>
    Object.entries(failed).map(([threshold, hasFailed]) => ({ metric, threshold, ok: !hasFailed })),
  );
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(byText));
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

async function seriesNames(kind: StoreKind, testid: string): Promise<string[]> {
  const store = storeOf(kind);
  const count = `count by (__name__) ({__name__=~"k6_.+",testid="${testid}"})`;
  const results = await store.query(count, await lastPointSeconds(store, testid));
  return results.map(({ metric }) => metric["__name__"] ?? "");
}

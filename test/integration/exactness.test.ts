/**
 * What a store answers about a run equals what k6 counted: every example, in both k6 versions, in each store.
 *
 * Each run goes live to one of the stores, in turn, and by `ingest` of k6's own file to the others. k6's side is its
 * end-of-test summary and its samples (test/support/k6-results.ts); the store's side is its query API.
 */
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quantileRange, toKey } from "../support/k6-results.ts";
import type { QueryResult } from "../support/query-api.ts";
import { ingestRun, recordRun, type RecordedRun, type SentRun } from "../support/recorded-run.ts";
import { expectAccounted } from "../support/run-report.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { storeKinds, type RunStore, type StoreKind } from "../support/stores.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool, findTool } from "../support/tools.ts";

interface Example {
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is not a matter of speed. */
  readonly exitCode?: number;
  /** Default: `finished`. */
  readonly state?: string;
}

const examples: readonly Example[] = [
  { script: "short.js", exitCode: 0 },
  { script: "custom-metrics.js", exitCode: 0 },
  { script: "odd-tags.js", exitCode: 0 },
  { script: "checks-and-groups.js", env: { FAIL_THRESHOLD: "1" }, exitCode: 99 },
  { script: "failed-requests.js", exitCode: 0 },
  { script: "abort-on-fail.js", exitCode: 99, state: "aborted_by_threshold" },
  { script: "scenarios.js", env: { DURATION: "3s" }, exitCode: 0 },
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

/** What becomes of each set of tags in odd-tags.js: the labels, beside those that all have. */
const oddLabels: readonly Readonly<Record<string, string>>[] = [
  // Of tags that become one label, the one whose name it is is kept, else the first by name: " " < "-" < ".".
  { my_tag: "spaces" },
  { col_lide: "second" },
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
  for (const one of [...stores.values(), shop, folder]) await one[Symbol.asyncDispose]();
});

for (const [turn, { name, tool }] of k6Versions.entries()) {
  describeWithTool(tool, name, (program) => {
    for (const [index, { script, env, exitCode, state = "finished" }] of examples.entries()) {
      describe(script, () => {
        const testid = `${tool}-${script.replace(".js", "")}`;
        let live: StoreKind | undefined;
        let run: RecordedRun;
        const ingested = new Map<StoreKind, SentRun>();
        beforeAll(async () => {
          const kinds = [...stores.keys()];
          live = kinds[(index + turn) % kinds.length];
          if (!live) throw new Error("there is no store to run against");
          const options = { testid, test: script, folder: folder.path };
          run = await recordRun({
            ...options,
            k6: program,
            script,
            env: { BASE_URL: shop.url, ...env },
            writeUrl: storeOf(live).writeUrl,
          });
          for (const kind of kinds) {
            if (kind === live) continue;
            const { writeUrl } = storeOf(kind);
            ingested.set(kind, await ingestRun(run.file, { ...options, writeUrl }));
          }
          await Promise.all([...stores.values()].map((store) => store.settle(testid)));
        });

        it("ends with k6's exit code", () => {
          const { result, k6 } = run;
          const hasFailed = k6.thresholds().some(({ ok }) => !ok);
          expect(result.exitCode, result.stderr).toBe(hasFailed ? 99 : 0);
          if (exitCode !== undefined) expect(result.exitCode).toBe(exitCode);
        });

        it("accounts for every sample and point, and leaves nothing in the spool", async () => {
          const { length } = run.k6.samples;
          for (const { result, report, spoolDirectory } of [run, ...ingested.values()]) {
            expectAccounted(report);
            expect(report.samples).toMatchObject({ read: length, aggregated: length });
            expect(report.points.delivered).toBe(report.points.encoded);
            expect(report.points.encoded).toBeGreaterThan(report.series.made);
            expect(await readdir(spoolDirectory)).toEqual([]);
            expect(result.stderr).not.toContain("a bug in plimsoll");
          }
          for (const { result } of ingested.values()) {
            expect(result.exitCode, result.stderr).toBe(0);
          }
        });

        it("reconciles with k6's summary by itself", () => {
          const { differences, compared } = run.report.reconciliation ?? {};
          expect(differences).toEqual([]);
          expect(compared).toBe(run.k6.counts().size);
        });

        for (const kind of storeKinds) {
          describeWithTool(kind.tool, kind.name, () => {
            let lastMs: number;
            /** Asks at the last point of the run's series, `laterMs` after it. */
            let ask: (promql: string, laterMs?: number) => Promise<QueryResult[]>;
            beforeAll(async () => {
              const store = storeOf(kind);
              // The run's own series come a millisecond after the last point of all others.
              const end = `timestamp(plimsoll_run_end_time_seconds{testid="${testid}"})`;
              const [ended] = await store.query(end);
              lastMs = Math.round((ended?.value ?? NaN) * 1_000) - 1;
              ask = (promql, laterMs = 0) => store.query(promql, (lastMs + laterMs) / 1_000);
            });

            it("has k6's own totals, to the last one", async () => {
              const counts = run.k6.counts();
              expect(counts.size).toBeGreaterThan(5);
              const sums = `sum by (__name__, condition) ({__name__=~"k6_.+_total",testid="${testid}"})`;
              expectNumbers(toCounts(await ask(sums)), counts);
            });

            it("has them by tag as well", async () => {
              const tags = ["scenario", "group", "name", "status", "check", "team"];
              const by = ["__name__", "condition", ...tags].join();
              const sums = `sum by (${by}) ({__name__=~"k6_.+_total",testid="${testid}"})`;
              expectNumbers(toCounts(await ask(sums), tags), run.k6.countsBy(tags));
            });

            // `increase()` is exact here because each counter begins with a zero and has a point at the run's last
            // instant: evaluated there, nothing is extrapolated to the right; and to the left Prometheus extrapolates
            // a counter only to where it would have been zero. So it matters neither how far the range reaches before
            // that zero, nor that it includes its left end in Prometheus 2 and not in 3.
            it("has them as increase() over the run", async () => {
              const counts = run.k6.counts();
              const stored = new Map<string, number>();
              for (const counter of new Set([...counts.keys()].map((key) => key.split("{")[0]))) {
                const increase = `increase(${counter}{testid="${testid}"}[${rangeOf(run, lastMs)}])`;
                const sums = await ask(`sum by (condition) (${increase})`);
                for (const { metric, value } of sums) {
                  stored.set(toKey(`${counter}`, metric["condition"]), value);
                }
              }
              expectNumbers(stored, counts);
            });

            it("has the last value of each gauge", async () => {
              const { k6 } = run;
              const gauges = k6.names("gauge");
              // k6 counts its VUs once a second.
              if (k6.newestMs - k6.oldestMs > 2_000) expect(gauges).toContain("vus");
              for (const gauge of gauges) {
                const series = `k6_${gauge}{testid="${testid}"}`;
                const expected = new Map([[gauge, k6.lastValue(gauge)]]);
                const values = (await ask(series)).map(({ value }) => [gauge, value] as const);
                expect(values).toHaveLength(1);
                expectNumbers(new Map(values), expected);
              }
              // VUs race each other to a gauge that all of them set, k6's own are set by one.
              for (const gauge of gauges.filter((one) => one.startsWith("vus"))) {
                expect(k6.lastValue(gauge)).toBe(k6.summaryValue(gauge));
              }
            });

            it("has every observation of each trend", async () => {
              const { k6 } = run;
              const trends = k6.names("trend");
              expect(trends.length).toBeGreaterThan(7);
              const stored = new Map<string, number>();
              const expected = new Map<string, number>();
              const read = async (key: string, promql: string): Promise<void> => {
                const [only, ...more] = await ask(promql);
                expect(more).toEqual([]);
                stored.set(key, only?.value ?? NaN);
              };
              for (const trend of trends) {
                const values = k6.observations(trend);
                expected.set(`${trend} count`, values.length);
                expected.set(`${trend} sum`, total(values));
                const family = k6.family(trend);
                for (const stat of ["count", "sum"]) {
                  const promql =
                    kind.trends === "native"
                      ? `histogram_${stat}(sum(${family}{testid="${testid}"}))`
                      : `sum(${family}_${stat}{testid="${testid}"})`;
                  await read(`${trend} ${stat}`, promql);
                }
                // Prometheus 2 extrapolates a histogram to the left as if it had been there before its zero.
                if (kind.tool !== "prometheus-3") continue;
                expected.set(`${trend} increase`, values.length);
                const range = rangeOf(run, lastMs);
                const increase = `sum(increase(${family}{testid="${testid}"}[${range}]))`;
                await read(`${trend} increase`, `histogram_count(${increase})`);
              }
              expectNumbers(stored, expected);
            });

            if (kind.trends === "native") {
              it("knows quantiles to within 1 %, over all series and by name", async () => {
                let compared = 0;
                for (const trend of run.k6.names("trend")) {
                  // Sixteenths part the eight values of `temperature` in custom-metrics.js, negative, zero, positive.
                  for (const q of [1 / 16, 5 / 16, 0.5, 9 / 16, 11 / 16, 0.9, 0.95, 0.99]) {
                    for (const by of [[], ["name"]]) {
                      const sums = `sum by (${by.join()}) (${run.k6.family(trend)}{testid="${testid}"})`;
                      for (const { metric, value } of await ask(
                        `histogram_quantile(${q}, ${sums})`,
                      )) {
                        const values = run.k6.observations(trend, ({ tags }) =>
                          by.every((tag) => (tags[tag] ?? "") === (metric[tag] ?? "")),
                        );
                        const { low, high } = quantileRange(values, q);
                        expectWithin1Percent(value, Math.min(Math.max(value, low), high));
                        compared++;
                      }
                    }
                  }
                }
                expect(compared).toBeGreaterThanOrEqual(8 * 8 * 2);
              });
            } else {
              it("has every observation in its bucket", async () => {
                for (const trend of run.k6.names("trend")) {
                  const values = run.k6.observations(trend);
                  const buckets = `${run.k6.family(trend)}_bucket{testid="${testid}"}`;
                  const results = await ask(`sum by (le) (${buckets})`);
                  expect(results.length).toBeGreaterThan(30);
                  for (const { metric, value } of results) {
                    const bound = Number(metric["le"]?.replace("Inf", "Infinity"));
                    expect(value).toBe(values.filter((observed) => observed <= bound).length);
                  }
                }
              });
            }

            it("has k6's p(99) of each trend that is one series", async () => {
              let compared = 0;
              for (const trend of run.k6.names("trend")) {
                const [only, ...more] = await ask(`k6_${trend}_p99{testid="${testid}"}`);
                expect(only).toBeDefined();
                if (!only || more.length > 0) continue;
                expectWithin1Percent(only.value, run.k6.summaryP99(trend));
                compared++;
              }
              // In other examples each trend may have several.
              if (script === "short.js") expect(compared).toBeGreaterThan(7);
            });

            it("ends the run's series right after their last point, and keeps the run's own", async () => {
              // Right after the last sample; live, time may have gone on without one.
              if (kind === live) expect(lastMs).toBeGreaterThan(run.k6.newestMs);
              else expect(lastMs).toBe(run.k6.newestMs + 1);
              const series = `{__name__=~"k6_.+",testid="${testid}"}`;
              expect((await ask(series)).length).toBeGreaterThan(15);
              expect(await ask(series, 1_000)).toEqual([]);
              const own = `{__name__=~"plimsoll_run_.+",testid="${testid}"}`;
              expect((await ask(own, 1_000)).length).toBeGreaterThan(15);
            });

            it("says when the run was and how it ended", async () => {
              const askRun = async (promql: string) =>
                (await ask(promql, 1)).map(({ metric, value }) => ({ ...metric, value }));
              const seconds = async (which: string) =>
                (await askRun(`plimsoll_run_${which}_time_seconds{testid="${testid}"}`))[0]?.value;
              expect(await seconds("start")).toBe(run.k6.oldestMs / 1_000);
              expect(await seconds("end")).toBe(run.k6.newestMs / 1_000);
              // A file does not say why it ends, nor what was expected of the run.
              const isLive = kind === live;
              expect(await askRun(`plimsoll_run_state{testid="${testid}"} == 1`)).toMatchObject([
                { state: isLive ? state : "finished" },
              ]);
              const thresholds = await askRun(`plimsoll_threshold_ok{testid="${testid}"}`);
              expect(thresholds).toHaveLength(isLive ? run.k6.thresholds().length : 0);
              if (!isLive) return;
              for (const { metric, threshold, ok } of run.k6.thresholds()) {
                const value = ok ? 1 : 0;
                expect(thresholds).toContainEqual(
                  expect.objectContaining({ metric, threshold, value }),
                );
              }
            });

            if (script === "checkout.js" || script === "scenarios.js") {
              it("has the series that dashboards for k6's own output ask for", async () => {
                const names = await ask(`count by (__name__) ({testid="${testid}"})`);
                const wanted =
                  script === "scenarios.js" ? ["k6_dropped_iterations_total"] : dashboardNames;
                expect(names.map(({ metric }) => metric["__name__"])).toEqual(
                  expect.arrayContaining(wanted),
                );
              });
            }

            if (script === "odd-tags.js") {
              it("has every tag that can be a label, under a name that can be one", async () => {
                const loads = await ask(`k6_loads_total{testid="${testid}"}`);
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

function storeOf(kind: StoreKind): RunStore {
  const store = stores.get(kind);
  if (!store) throw new Error(`${kind.name} has not been started`);
  return store;
}

/** A range that reaches from the last point to before the first. */
function rangeOf({ k6 }: RecordedRun, lastMs: number): string {
  return `${lastMs - k6.oldestMs + 3_000}ms`;
}

function toCounts(
  results: readonly QueryResult[],
  tagNames: readonly string[] = [],
): Map<string, number> {
  return new Map(
    results.map(({ metric, value }) => [
      toKey(metric["__name__"] ?? "", metric["condition"], tagNames, metric),
      value,
    ]),
  );
}

/** Whole numbers are equal; sums of fractions depend on their order, in their last digits. */
function expectNumbers(
  stored: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): void {
  const rounded = [...stored].map(([name, value]) => {
    const exact = expected.get(name) ?? NaN;
    const areWhole = Number.isInteger(exact) && Number.isInteger(value);
    const isClose = !areWhole && Math.abs(value - exact) <= 1e-9 * Math.abs(exact);
    return [name, isClose ? exact : value] as const;
  });
  expect(Object.fromEntries(rounded)).toEqual(Object.fromEntries(expected));
}

function expectWithin1Percent(value: number, exact: number): void {
  // 2^-128 is the width of the zero bucket.
  const allowed = 0.01 * Math.abs(exact) + 2 ** -128;
  expect(Math.abs(value - exact), `${value}, expected ${exact}`).toBeLessThanOrEqual(allowed);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

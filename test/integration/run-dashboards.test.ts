/**
 * The dashboards Runs, Run, Fleet and Pipeline, asked as Grafana would ask: real runs of k6 in a real Prometheus,
 * which scrapes the host meanwhile, and Plimsoll.
 *
 * There are four runs: one of two generators that nobody scrapes, one whose thresholds fail, one whose counter is lost on its way, and one
 * that still goes on.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunReport } from "../../src/cli/run-report.ts";
import { dashboards } from "../../src/dashboards/all.ts";
import { stateColors } from "../../src/dashboards/states.ts";
import { findFreePort } from "../../src/free-port.ts";
import { runStates } from "../../src/runs/run-state.ts";
import { startServerProcess } from "../support/child-process.ts";
import { OpenDashboard, type View } from "../support/dashboard-queries.ts";
import { type PlimsollProcess, startPlimsoll, words } from "../support/plimsoll.ts";
import { type MetricsStore, startPrometheus } from "../support/prometheus.ts";
import type { QueryResult, RangeResult } from "../support/query-api.ts";
import { expectAccounted, readReport } from "../support/run-report.ts";
import { startShop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

type Name = "runs" | "run" | "fleet" | "pipeline";

/** Around a run, as the links of Runs have it. */
const marginSeconds = 5;

it("has a colour for every state of a run", () => {
  expect(Object.keys(stateColors)).toEqual(expect.arrayContaining([...runStates]));
});

describeWithTool("k6-2", "runs of k6", (k6) => {
  describeWithTool("node-exporter", "beside a node_exporter", (nodeExporter) => {
    describeWithTool("prometheus-3", "in Prometheus 3", (program) => {
      let prometheus: MetricsStore;
      let folder: TemporaryFolder;
      let live: PlimsollProcess;
      let startedMs: number;
      const running: AsyncDisposable[] = [];
      const reports = new Map<string, RunReport>();

      const start = (name: string, target: string, port: number | undefined, ...args: string[]) =>
        startPlimsoll(
          [
            "run",
            ...args,
            ...(port === undefined ? [] : ["--metrics-listen", `127.0.0.1:${port}`]),
            "--spool-dir",
            join(folder.path, `${name}.spool`),
            "--report",
            join(folder.path, `${name}.json`),
            "--out",
            `prometheus-rw=${prometheus.writeUrl}`,
            target,
          ],
          { folder: folder.path },
        );
      const finish = async (name: string, process: PlimsollProcess): Promise<number | null> => {
        const { exitCode, stderr } = await process.result;
        const report = await readReport(join(folder.path, `${name}.json`)).catch(() => {
          throw new Error(stderr);
        });
        expectAccounted(report);
        reports.set(name, report);
        return exitCode;
      };
      const reportOf = (name: string): RunReport =>
        reports.get(name) ?? expect.unreachable(`there is no run ${name}`);

      beforeAll(async () => {
        folder = await createTemporaryFolder();
        const shop = await startShop();
        const exporter = await startServerProcess({
          program: nodeExporter,
          args: (port) => [`--web.listen-address=127.0.0.1:${port}`],
          readyPath: "/metrics",
        });
        const port = await findFreePort();
        prometheus = await startPrometheus({ program, config: scraping(port, exporter.url) });
        running.push(shop, exporter, prometheus, folder);
        startedMs = Date.now();
        const script = (name: string, ...env: string[]): string[] => [
          `--k6=${k6}`,
          ...[`BASE_URL=${shop.url}`, ...env].flatMap((pair) => ["-e", pair]),
          "--testid",
          name,
        ];
        const checkout = example("checkout.js");

        const generator = (id: string, zone: string): string[] => [
          // Its own state is stored every five seconds, what was delivered from the second time on, and asked for as often.
          ...script("fleet", "DURATION=12s"),
          ...words(`--test checkout --tag instance_id=${id} --tag load_zone=${zone}`),
        ];
        const [first, second] = [
          start("a", checkout, undefined, ...generator("a", "north")),
          start("b", checkout, undefined, ...generator("b", "south")),
        ];
        await Promise.all([finish("a", first), finish("b", second)]);

        const strict = script("failing", "FAIL_THRESHOLD=1");
        const tags = words(
          "--test checks --tag version=1.4.2 --tag branch=main --tag commit=4f2a9c1",
        );
        const failing = start("failing", example("checks-and-groups.js"), port, ...strict, ...tags);
        expect(await finish("failing", failing)).toBe(99);

        const rules = join(folder.path, "relabel.yaml");
        await writeFile(
          rules,
          "- {source_labels: [__name__], regex: k6_http_reqs_total, action: drop}\n",
        );
        const lossy = words("--testid lossy --duration 1s --vus 2 --trends classic");
        await finish("lossy", start("lossy", shop.url, port, ...lossy, "--relabel-config", rules));

        live = start("live", checkout, port, ...script("live", "DURATION=5m"));
        await vi.waitFor(
          async () => {
            const scrapes =
              'min(count_over_time(plimsoll_samples_read_total{testid="live", job="plimsoll"}[1m]))';
            const [scraped] = await prometheus.query(scrapes);
            const [seen] = await prometheus.query('sum(k6_http_reqs_total{testid="live"})');
            // Long enough that a rate has two points of what is said every five seconds.
            const [age] = await prometheus.query(
              'time() - min(plimsoll_run_start_time_seconds{testid="live"})',
            );
            const ages = [(scraped?.value ?? 0) - 6, (age?.value ?? 0) - 12];
            if (!(Math.min(...ages) > 0 && (seen?.value ?? 0) > 100)) {
              throw new Error(`not enough of the run that goes on:\n${live.stderr}`);
            }
          },
          { timeout: 40_000, interval: 500 },
        );
      }, 180_000);
      afterAll(async () => {
        live?.kill("SIGINT");
        await live?.result;
        for (const one of running) await one[Symbol.asyncDispose]();
      });

      const ask = async (
        name: Name,
        testid: string,
        chosen: Readonly<Record<string, string>> = {},
      ): Promise<AskedDashboard> => {
        const ofRun = `{testid="${testid}"}`;
        const from = await edge(`min(last_over_time(plimsoll_run_start_time_seconds${ofRun}[1h]))`);
        const to =
          testid === "live"
            ? Date.now() / 1_000
            : (await edge(`max(last_over_time(plimsoll_run_end_time_seconds${ofRun}[1h]))`)) +
              marginSeconds;
        return await askAll(name, prometheus, {
          fromMs: (from - marginSeconds) * 1_000,
          toMs: to * 1_000,
          chosen: { testid, ...chosen },
          // What nobody scrapes says how it is every 5 s.
          scrapeSeconds: testid === "fleet" ? 5 : 1,
        });
      };
      const edge = async (promql: string): Promise<number> => {
        const [result] = await prometheus.query(promql);
        return result?.value ?? expect.unreachable(promql);
      };
      /** From before the first run until now, or until some seconds later. */
      const askLater = (name: Name, laterSeconds: number, chosen: View["chosen"] = {}) =>
        askAll(name, prometheus, {
          fromMs: startedMs,
          toMs: Date.now() + laterSeconds * 1_000,
          chosen,
          scrapeSeconds: 1,
        });
      const askRuns = (chosen?: View["chosen"]) => askLater("runs", 0, chosen);

      describe("Runs", () => {
        it("has data in every panel", async () => {
          const asked = await askRuns();
          expect(asked.answers.length).toBeGreaterThan(12);
          expect(empty(asked)).toEqual([]);
          expect(asked.options("version")).toEqual(["1.4.2"]);
        });

        it("lists each run once, with how it ended and its figures", async () => {
          const asked = await askRuns();
          const rows = await asked.rows("Runs", "Run");
          expect(rows.size).toBe(4);
          for (const refId of ["info", "start", "duration", "state", "from", "to"]) {
            expect(asked.results("Runs", refId), refId).toHaveLength(4);
          }
          const thresholds = reportOf("failing").thresholds;
          const passed = thresholds.filter(({ ok }) => ok).length;
          expect(thresholds.length - passed).toBeGreaterThan(0);
          expect(rows.get("failing")).toMatchObject({
            Test: "checks",
            State: "finished",
            Version: "1.4.2",
            Branch: "main",
            "Thresholds passed": passed,
            "Thresholds failed": thresholds.length - passed,
            Requests: requestsOf("failing"),
            p95: reportOf("failing").summary["http_req_duration"]?.["p95"],
            Failed: failedOf("failing") / requestsOf("failing"),
          });
          const requests = requestsOf("a") + requestsOf("b");
          expect(rows.get("fleet")).toMatchObject({
            Test: "checkout",
            State: "finished",
            Requests: requests,
            Failed: (failedOf("a") + failedOf("b")) / requests,
          });
          expect(rows.get("lossy")).toMatchObject({ State: "finished" });
          const goingOn = rows.get("live");
          expect(goingOn).toMatchObject({ Test: "checkout", State: "running" });
          expect(goingOn?.["Requests"]).toBeGreaterThan(100);
          expect(goingOn?.["Duration"]).toBeGreaterThan(6);
          expect(goingOn).not.toHaveProperty("Thresholds failed");
        });

        it("links to the time of the run, and to now while it goes on", async () => {
          const rows = await (await askRuns()).rows("Runs", "Run");
          const { Started, From, To, Duration } = rows.get("failing") ?? {};
          expect(Number(From)).toBeCloseTo(Number(Started) - marginSeconds * 1_000, 0);
          const lengthMs = Number(Duration) * 1_000 + 2 * marginSeconds * 1_000;
          expect(Number(To) - Number(From)).toBeCloseTo(lengthMs, 0);
          expect(rows.get("live")).toMatchObject({ To: -1 });
        });

        it("can be narrowed down to a test, a version, and any other label", async () => {
          const names = async (variables: Readonly<Record<string, string>>) =>
            (await askRuns(variables))
              .results("Runs", "info")
              .map(({ metric }) => metric["testid"]);
          expect(await names({ test: "checks" })).toEqual(["failing"]);
          expect(await names({ version: "1.4.2" })).toEqual(["failing"]);
          expect(await names({ labels: 'generator="autocannon"' })).toEqual(["lossy"]);
          expect(await names({ labels: 'environment="nowhere"' })).toEqual([]);
        });

        it("counts the runs, those that passed, and those that go on", async () => {
          const asked = await askRuns();
          expect(asked.results("Running").map(({ value }) => value)).toEqual([1]);
          const fleetPassed = [...reportOf("a").thresholds, ...reportOf("b").thresholds].every(
            ({ ok }) => ok,
          );
          const [passed] = asked.results("Passed");
          expect(passed?.value).toBeCloseTo((fleetPassed ? 2 : 1) / 3, 12);
        });

        it("calls a run silent that has not said how it ended and has no points any more", async () => {
          // As if somebody looked three minutes later at a run whose machine was switched off.
          const asked = await askLater("runs", 180);
          const states = asked.results("Runs", "state").map(({ metric }) => metric);
          expect(states).toContainEqual({ testid: "live", state: "silent" });
          expect(asked.results("Running").map(({ value }) => value)).toEqual([0]);
        });
      });

      describe("Run", () => {
        it("has data in every panel of a run that goes on, but for what its end brings", async () => {
          const asked = await ask("run", "live");
          expect(asked.answers.length).toBeGreaterThan(40);
          expect(empty(asked)).toEqual([
            "Thresholds failed A",
            "Thresholds ok",
            "Annotations Run end",
            "Annotations Anomaly",
          ]);
        });

        it("has data in every panel of a run that is over, but for the age of what comes no more", async () => {
          const asked = await ask("run", "fleet");
          expect(empty(asked)).toEqual(["Newest sample A", "Annotations Anomaly"]);
        });

        it("has the exact figures of the run", async () => {
          for (const [testid, names] of Object.entries({
            failing: ["failing"],
            fleet: ["a", "b"],
          })) {
            const asked = await ask("run", testid);
            const requests = sum(names.map(requestsOf));
            expect(only(asked.results("Requests"))).toBe(requests);
            expect(only(asked.results("Requests failed"))).toBe(
              sum(names.map(failedOf)) / requests,
            );
            const checks = (stat: string) =>
              sum(names.map((name) => reportOf(name).summary["checks"]?.[stat] ?? NaN));
            expect(only(asked.results("Checks failed"))).toBeCloseTo(
              checks("zero") / (checks("zero") + checks("nonzero")),
              12,
            );
            const endpoints = asked.results("Endpoints", "requests");
            expect(endpoints.length).toBeGreaterThan(1);
            expect(sum(endpoints.map(({ value }) => value))).toBe(requests);
            const thresholds = names.flatMap((name) => reportOf(name).thresholds);
            const failed = thresholds.filter(({ ok }) => !ok).length;
            expect(only(asked.results("Thresholds failed"))).toBe(failed);
          }
        });

        it("has the p95 of all generators together", async () => {
          const p95 = only((await ask("run", "fleet")).results("p95"));
          const [low = NaN, high = NaN] = ["a", "b"]
            .map((name) => reportOf(name).summary["http_req_duration"]?.["p95"] ?? NaN)
            .sort((one, other) => one - other);
          expect(p95).toBeGreaterThan(low * 0.99);
          expect(p95).toBeLessThan(high * 1.01);
        });

        it("shows classic histograms as well", async () => {
          const panels = ["p95", "Request duration", "Request durations", "Duration by endpoint"];
          const withoutData = async (histogram: string) =>
            empty(await ask("run", "lossy", { histogram })).filter((query) =>
              panels.includes(query.slice(0, -2)),
            );
          expect(await withoutData("_seconds_bucket")).toEqual([]);
          expect((await withoutData("_seconds")).length).toBeGreaterThanOrEqual(panels.length);
          const asked = await ask("run", "lossy", { histogram: "_seconds_bucket" });
          expect(empty(asked)).not.toContain("Requests in flight A");
          // A bucket is as wide as the time is long, or less; the lowest ends at a millisecond.
          const p95 = reportOf("lossy").summary["http_req_duration"]?.["p95"] ?? NaN;
          expect(only(asked.results("p95"))).toBeGreaterThan(p95 / 2);
          expect(only(asked.results("p95"))).toBeLessThan(Math.max(p95 * 2, 0.001));
        });

        it("says how it ended", async () => {
          const states = async (testid: string) =>
            (await ask("run", testid))
              .results("State")
              .map(({ metric, value }) => [metric["state"], value]);
          expect(await states("failing")).toEqual([["finished", 0]]);
          expect(await states("live")).toEqual([["running", 1]]);
        });
      });

      describe("Fleet", () => {
        it("has data in every panel, of two generators as of one without a name", async () => {
          expect(empty(await ask("fleet", "live"))).toEqual([
            "Annotations Run end",
            "Annotations Anomaly",
          ]);
          // The newest sample of a generator that is done has no age.
          expect(empty(await ask("fleet", "fleet"))).toEqual([
            "Clock skew A",
            "Each generator behind",
            "Annotations Anomaly",
          ]);
        });

        it("tells the generators apart, and none is silent that is done", async () => {
          const asked = await ask("fleet", "fleet");
          expect(only(asked.results("Generators"))).toBe(2);
          expect(only(asked.results("Zones"))).toBe(2);
          expect(only(asked.results("Silent generators"))).toBe(0);
          const requests = asked.results("Each generator", "requests");
          expect(
            new Map(requests.map(({ metric, value }) => [JSON.stringify(metric), value])),
          ).toEqual(
            new Map([
              ['{"instance_id":"a","load_zone":"north"}', requestsOf("a")],
              ['{"instance_id":"b","load_zone":"south"}', requestsOf("b")],
            ]),
          );
          const later = await askLater("fleet", 20, { testid: "fleet" });
          expect(only(later.results("Silent generators"))).toBe(0);
          const times = asked.results("Each generator", "times").map(({ value }) => value);
          expect(sum(times)).toBeCloseTo(2, 12);
        });

        it("calls a generator silent that has no new sample for 15 s and no end", async () => {
          const { results } = await askLater("fleet", 20, { testid: "live" });
          expect(only(results("Silent generators"))).toBe(1);
          expect(only(results("Each generator", "silent"))).toBe(1);
          expect(results("Each generator", "silent")[0]?.metric).toMatchObject({
            instance_id: "(no name)",
            load_zone: "(no zone)",
          });
        });
      });

      describe("Pipeline", () => {
        it("has data in every panel, but for what is lost where nothing is", async () => {
          expect(empty(await ask("pipeline", "live"))).toEqual([
            "Counted minus stored A",
            "Counted by the generator, and stored counted",
            "Counted by the generator, and stored stored",
            "Counted by the generator, and stored difference",
            "Samples dropped by reason A",
            "Points lost by reason A",
            "Points lost by reason B",
            "Delivery stalled A",
            "Annotations Run end",
            "Annotations Anomaly",
          ]);
          expect(empty(await ask("pipeline", "fleet"))).toEqual([
            "Pending now A",
            "Lag now A",
            "Samples dropped by reason A",
            "Points lost by reason A",
            "Points lost by reason B",
            "Delivery stalled A",
            "Annotations Anomaly",
          ]);
        });

        it("finds all that the generators counted in the store", async () => {
          for (const [testid, names] of Object.entries({
            failing: ["failing"],
            fleet: ["a", "b"],
          })) {
            const asked = await ask("pipeline", testid);
            expect(only(asked.results("Counted minus stored"))).toBe(0);
            const table = "Counted by the generator, and stored";
            const compared = Math.max(
              ...names.map((name) => reportOf(name).reconciliation?.compared ?? NaN),
            );
            for (const refId of ["counted", "stored", "difference"]) {
              expect(asked.results(table, refId), refId).toHaveLength(compared);
            }
            const stored = asked
              .results(table, "stored")
              .find(({ metric }) => metric["metric"] === "http_reqs");
            expect(stored?.value).toBe(sum(names.map(requestsOf)));
            const read = sum(names.map((name) => reportOf(name).samples.read));
            expect(only(asked.results("Samples read"))).toBe(read);
            expect(only(asked.results("Samples dropped"))).toBe(0);
          }
        });

        it("shows what was counted and is not stored", async () => {
          const asked = await ask("pipeline", "lossy");
          const { samples } = reportOf("lossy");
          const lost = samples.dropped["relabelled_away"] ?? NaN;
          expect(lost).toBeGreaterThan(50);
          expect(only(asked.results("Counted minus stored"))).toBe(lost);
          expect(only(asked.results("Samples dropped"))).toBe(lost);
          const table = asked.results("Counted by the generator, and stored", "difference");
          expect(
            table.map(({ metric, value }) => [metric["metric"], metric["stat"], value]),
          ).toEqual(
            expect.arrayContaining([
              ["http_reqs", "count", lost],
              ["http_req_failed", "nonzero", 0],
            ]),
          );
        });

        it("counts each generator once, scraped or not", async () => {
          for (const [testid, names] of Object.entries({
            failing: ["failing"],
            fleet: ["a", "b"],
          })) {
            const asked = await ask("pipeline", testid);
            const read = sum(names.map((name) => reportOf(name).samples.read));
            expect(only(asked.results("Samples read"))).toBe(read);
            // All but the account itself, which is some dozens of points.
            const delivered = sum(names.map((name) => reportOf(name).points.delivered));
            const shown = only(asked.results("Points delivered"));
            expect(shown).toBeLessThan(delivered);
            expect(shown).toBeGreaterThan(delivered - names.length * 150);
          }
        });

        it("follows a run that goes on", async () => {
          const asked = await ask("pipeline", "live");
          expect(only(asked.results("Samples read"))).toBeGreaterThan(500);
          expect(only(asked.results("Samples dropped"))).toBe(0);
          expect(only(asked.results("Points lost"))).toBe(0);
          const lag = only(asked.results("Lag now"));
          expect(lag).toBeGreaterThanOrEqual(0);
          expect(lag).toBeLessThan(15);
        });
      });

      const requestsOf = (name: string): number =>
        reportOf(name).summary["http_reqs"]?.["count"] ?? NaN;
      const failedOf = (name: string): number =>
        reportOf(name).summary["http_req_failed"]?.["nonzero"] ?? NaN;
    });
  });
});

const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

function scraping(port: number, exporterUrl: string): string {
  return `global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: plimsoll, static_configs: [{targets: ["127.0.0.1:${port}"]}]}
  - {job_name: node, static_configs: [{targets: ["${new URL(exporterUrl).host}"]}]}
`;
}

interface Answer {
  readonly panel: string;
  readonly refId: string;
  readonly results: readonly (QueryResult | RangeResult)[];
}

interface AskedDashboard {
  readonly answers: readonly Answer[];
  /** Of a panel's instant query. */
  readonly results: (panel: string, refId?: string) => readonly QueryResult[];
  readonly options: (variable: string) => readonly string[];
  /** Of a table, as its transformations leave them, by one of their columns. */
  readonly rows: (
    panel: string,
    by: string,
  ) => Promise<ReadonlyMap<string, Readonly<Record<string, string | number>>>>;
}

/** Asks every query of a dashboard. */
async function askAll(name: Name, store: MetricsStore, view: View): Promise<AskedDashboard> {
  const opened = await OpenDashboard.open(dashboards[name]!(), store, view);
  const answers: Answer[] = [];
  for (const { panel, refId, isInstant } of opened.queries) {
    const results = await (isInstant ? opened.ask(panel, refId) : opened.askRange(panel, refId));
    answers.push({ panel, refId, results });
  }
  return {
    answers,
    results(panel, refId = "A") {
      expect(opened.query(panel, refId).isInstant).toBe(true);
      const found = answers.find((answer) => answer.panel === panel && answer.refId === refId);
      return (found?.results ?? []) as readonly QueryResult[];
    },
    options: (variable) => opened.options(variable),
    rows: async (panel, by) =>
      new Map(
        (await opened.rows(panel)).map((row) => [String(row.get(by)), Object.fromEntries(row)]),
      ),
  };
}

/** The queries without an answer. */
function empty({ answers }: AskedDashboard): string[] {
  return answers
    .filter(({ results }) => results.length === 0)
    .map(({ panel, refId }) => `${panel} ${refId}`);
}

function only(results: readonly QueryResult[]): number {
  expect(results).toHaveLength(1);
  return results[0]?.value ?? NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

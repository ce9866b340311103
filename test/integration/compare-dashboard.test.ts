/**
 * The dashboard Compare asks two runs that are three days apart, through its own queries and variables, on real
 * Prometheus: one endpoint is 20 % slower in A than in B, and nothing else differs.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareDashboard } from "../../src/dashboards/compare.ts";
import { fleet as fleetDashboard } from "../../src/dashboards/fleet.ts";
import { run } from "../../src/dashboards/run.ts";
import { OpenDashboard, type View } from "../support/dashboard-queries.ts";
import { k6Endpoints, k6Vus, writeK6Run } from "../support/k6-run.ts";
import { type MetricsStore, startPrometheus } from "../support/prometheus.ts";
import type { QueryResult, RangeResult } from "../support/query-api.ts";
import { ingestRun } from "../support/recorded-run.ts";
import { systemSeries } from "../support/system-series.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";
import { writeSeries } from "../support/write-series.ts";

const secondMs = 1_000;
const dayMs = 24 * 3_600 * secondMs;
const seconds = 120;
/** Three days and a part of a second, so that an offset in whole seconds would be wrong. */
const apartMs = 3 * dayMs + 137;
const slower = 1.2;
const tolerance = 0.01;

const runs = { old: "checkout-old", new: "checkout-new" } as const;
const newStartMs = Math.floor(Date.now() / dayMs) * dayMs - dayMs + 45_623;
const fleet = "checkout-fleet";
const starts = { new: newStartMs, fleet: newStartMs - dayMs, old: newStartMs - apartMs };
/** Of one run: the second begins later, ends long before the first, and its checkouts take twice as long. */
const generators = [
  { id: "a", afterMs: 0, seconds, slower: {} },
  { id: "b", afterMs: 10_000, seconds: 60, slower: { checkout: 2 } },
] as const;
/** The generated runs have one at their very end, too. */
const fleetRequests = generators.reduce((sum, one) => sum + 40 * one.seconds + 1, 0);

/** What has no data here, and why: nothing else may be empty. */
const emptyHere = new Set([
  // k6's JSON lines have no thresholds.
  "Thresholds A",
  "Thresholds B",
]);

const stores = [
  {
    tool: "prometheus-2",
    name: "on Prometheus 2",
    flags: ["--enable-feature=native-histograms"],
    // It takes native histograms in order only.
    order: ["old", "fleet", "new"],
  },
  // As when an old run is brought in later.
  { tool: "prometheus-3", name: "on Prometheus 3", flags: [], order: ["new", "fleet", "old"] },
] as const;

for (const { tool, name, flags, order } of stores) {
  describeWithTool(tool, `Compare ${name}`, (program) => {
    let store: MetricsStore;
    let folder: TemporaryFolder;

    beforeAll(async () => {
      folder = await createTemporaryFolder();
      const config = "storage: { tsdb: { out_of_order_time_window: 30d } }\n";
      store = await startPrometheus({ program, flags, config });
      for (const which of order) {
        if (which === "fleet") {
          await sendFleet();
          continue;
        }
        const file = join(folder.path, `${which}.json`);
        const startMs = starts[which];
        await writeK6Run({
          file,
          startMs,
          seconds,
          ...(which === "new" && { slower: { checkout: slower } }),
        });
        const { writeUrl } = store;
        const sent = await ingestRun(file, {
          testid: runs[which],
          test: "checkout",
          writeUrl,
          folder: folder.path,
        });
        expect(sent.result.exitCode, sent.result.stderr).toBe(0);
        await writeSeries(writeUrl, systemSeries(startMs - 60_000, startMs + (seconds + 60) * 1e3));
      }
    });

    const sendFleet = async (): Promise<void> => {
      for (const { id, afterMs, ...what } of generators) {
        const file = join(folder.path, `fleet-${id}.json`);
        await writeK6Run({ file, startMs: starts.fleet + afterMs, ...what });
        const { result } = await ingestRun(file, {
          testid: fleet,
          test: "fleet",
          writeUrl: store.writeUrl,
          folder: folder.path,
          tags: { instance_id: id, load_zone: `zone-${id}` },
        });
        expect(result.exitCode, result.stderr).toBe(0);
      }
    };

    afterAll(async () => {
      await store?.[Symbol.asyncDispose]();
      await folder?.[Symbol.asyncDispose]();
    });

    const open = async (a: keyof typeof runs, view: Partial<View> = {}): Promise<OpenDashboard> =>
      await OpenDashboard.open(compareDashboard(), store, {
        fromMs: starts[a],
        toMs: starts[a] + seconds * secondMs,
        chosen: { a: runs[a], b: runs[a === "new" ? "old" : "new"] },
        ...view,
      });

    it("offers the runs of any time, and chooses the newest and the one before", async () => {
      const opened = await OpenDashboard.open(compareDashboard(), store, {
        fromMs: Date.now() - 60_000,
        toMs: Date.now(),
      });
      expect(opened.options("a")).toEqual([runs.new, runs.old]);
      expect(["test_a", "a", "test_b", "b"].map((name) => opened.value(name))).toEqual([
        "checkout",
        runs.new,
        "checkout",
        runs.old,
      ]);
    });

    it.each([
      { a: "new", offsetMs: apartMs },
      { a: "old", offsetMs: -apartMs },
    ] as const)("knows the offset to the millisecond where A is the $a run", async (row) => {
      const ranges = [
        {},
        { fromMs: Date.now() - 60_000, toMs: Date.now() },
        { fromMs: starts.old - 100 * dayMs, toMs: starts.old - 99 * dayMs },
      ];
      for (const range of ranges) {
        expect((await open(row.a, range)).value("offset")).toBe(`${row.offsetMs}`);
      }
    });

    it.each([
      { a: "new", expected: slower - 1 },
      { a: "old", expected: 1 / slower - 1 },
    ] as const)("finds one endpoint changed by $expected where A is the $a run", async (row) => {
      const opened = await open(row.a);
      for (const column of ["medianChange", "highChange"]) {
        const changes = byLabel(await opened.ask("Endpoints", column), "name");
        expect([...changes.keys()].toSorted()).toEqual(Object.keys(k6Endpoints).toSorted());
        for (const [endpoint, change] of changes) {
          const expected = endpoint === "checkout" ? row.expected : 0;
          expect(Math.abs(change - expected), `${column} of ${endpoint}`).toBeLessThan(tolerance);
        }
      }
      const counted = byLabel(await opened.ask("Endpoints", "requestsA"), "name");
      expect([...counted.values()].reduce((sum, count) => sum + count)).toBe(40 * seconds + 1);
    });

    it("has the percentiles of both runs, and that of classic histograms where there are none", async () => {
      const opened = await open("new");
      const ladder = byLabel(await opened.ask("Percentiles", "difference"), "quantile");
      expect([...ladder.keys()]).toEqual(["p50", "p75", "p90", "p95", "p99", "p99.9"]);
      // A quarter of the requests are the slow ones, and they are the slowest.
      expect(ladder.get("p99")).toBeCloseTo(slower - 1, 1.7);
      expect(Math.abs(ladder.get("p50")!)).toBeLessThan(tolerance);
      const classic = await open("new", {
        chosen: { a: runs.new, b: runs.old, histogram: "_seconds_bucket" },
      });
      // Without a histogram of this kind there is what the summary has.
      const kept = byLabel(await classic.ask("Percentiles", "difference"), "quantile");
      expect([...kept.keys()]).toEqual(["p50", "p90", "p95", "p99"]);
    });

    it("calls equal loads comparable, and others not", async () => {
      const opened = await open("new");
      const [verdict] = await opened.ask("Are the loads comparable?", "A");
      expect(verdict?.value).toBeLessThan(0.001);
      const loads = byLabel(await opened.ask("Load of A against B", "A"), "load");
      expect([...loads.keys()]).toEqual([
        "peak VUs",
        "requests/s",
        "iterations/s",
        "duration",
        "dropped iterations",
      ]);
      const rows = byLabel(await opened.ask("The two runs", "vus"), "run");
      expect(rows).toEqual(
        new Map([
          ["A", k6Vus],
          ["B", k6Vus],
        ]),
      );
    });

    it.each(["new", "old"] as const)(
      "lays B over A, the system too, where A is the %s run",
      async (a) => {
        const opened = await open(a);
        const [vusA] = await opened.askRange("VUs", "A");
        const [vusB] = await opened.askRange("VUs", "B");
        expect(vusA?.values.length).toBeGreaterThan(5);
        expect(vusB?.values).toEqual(vusA?.values);
        for (const panel of ["CPU", "Connections in use", "Waiting for a connection"]) {
          const [ofA] = await opened.askRange(panel, "A");
          const [ofB] = await opened.askRange(panel, "B");
          expect(ofA?.values.length, panel).toBeGreaterThan(5);
          expectSameCourse(panel, ofA, ofB);
        }
      },
    );

    it("takes the generators of a run together, also one that ended before the others", async () => {
      const opened = await OpenDashboard.open(compareDashboard(), store, {
        fromMs: starts.fleet,
        toMs: starts.fleet + seconds * secondMs,
        chosen: { test_a: "fleet", a: fleet, test_b: "checkout", b: runs.new },
      });
      const rows = await opened.rows("The two runs");
      expect(rows.map((row) => row.get("Run"))).toEqual(["A", "B"]);
      const failed = byLabel(await opened.ask("Endpoints", "failedA"), "name").get("checkout")!;
      const requests = byLabel(await opened.ask("Endpoints", "requestsA"), "name");
      expect([...requests.values()].reduce((sum, count) => sum + count)).toBe(fleetRequests);
      expect(Object.fromEntries(rows[0]!)).toMatchObject({
        Id: fleet,
        State: "finished",
        Duration: seconds,
        "Peak VUs": 2 * k6Vus,
        Requests: fleetRequests,
        Failed: expect.closeTo((failed * requests.get("checkout")!) / fleetRequests, 12) as number,
        "Dropped iterations": 6,
      });
      // A third of the checkouts take twice as long.
      const high = byLabel(await opened.ask("Endpoints", "highA"), "name");
      const alone = byLabel(await opened.ask("Endpoints", "highB"), "name");
      expect(high.get("checkout")! / (alone.get("checkout")! / slower)).toBeGreaterThan(1.2);
      expect(Math.abs(high.get("cart")! / alone.get("cart")! - 1)).toBeLessThan(0.05);
      const kept = await opened.ask("Summaries", "A");
      const summary = (stat: string): number | undefined =>
        kept.find(({ metric }) => metric["metric"] === "http_req_failed" && metric["stat"] === stat)
          ?.value;
      expect(summary("rate")).toBeCloseTo(summary("nonzero")! / fleetRequests, 12);
    });

    it("has the quantiles of whole runs in Run and Fleet, too", async () => {
      const compared = await open("old");
      const ladder = byLabel(await compared.ask("Percentiles", "A"), "quantile");
      const view = (testid: string, startMs: number): View => ({
        fromMs: startMs - 5_000,
        toMs: startMs + (seconds + 5) * secondMs,
        chosen: { testid },
      });
      const one = await OpenDashboard.open(run(), store, view(runs.old, starts.old));
      expect((await one.ask("p95", "A"))[0]?.value).toBeCloseTo(ladder.get("p95")!, 2);
      expect(await one.ask("Endpoints", "p99")).toHaveLength(Object.keys(k6Endpoints).length);
      const all = await OpenDashboard.open(fleetDashboard(), store, view(fleet, starts.fleet));
      const each = byLabel(await all.ask("Each generator", "p95"), "instance_id");
      expect([...each.keys()].toSorted()).toEqual(["a", "b"]);
      expect(each.get("b")! / each.get("a")!).toBeGreaterThan(1.5);
    });

    it("begins with the run that a link came from", async () => {
      const opened = await OpenDashboard.open(compareDashboard(), store, {
        fromMs: Date.now() - 60_000,
        toMs: Date.now(),
        chosen: { testid: fleet },
      });
      expect(["test_a", "a"].map((name) => opened.value(name))).toEqual(["fleet", fleet]);
    });

    it("says whether the time range shows A", async () => {
      const inside = await open("new");
      expect((await inside.ask("Time range", "A"))[0]?.value).toBe(1);
      const elsewhere = await open("new", { fromMs: Date.now() - 60_000, toMs: Date.now() });
      expect((await elsewhere.ask("Time range", "A"))[0]?.value).toBe(0);
    });

    it("has data for each of its queries", async () => {
      const opened = await open("new");
      expect(opened.queries.length).toBeGreaterThan(50);
      const empty: string[] = [];
      for (const query of opened.queries) {
        if ((await opened.count(query)) === 0) empty.push(`${query.panel} ${query.refId}`);
      }
      expect(empty.filter((name) => !emptyHere.has(name))).toEqual([]);
    });
  });
}

function byLabel(results: readonly QueryResult[], label: string): Map<string, number> {
  return new Map(results.map(({ metric, value }) => [metric[label] ?? "", value]));
}

/** The system's metrics repeat themselves with the runs, so that what is laid right is equal. */
function expectSameCourse(
  panel: string,
  a: RangeResult | undefined,
  b: RangeResult | undefined,
): void {
  expect(b?.values.length, panel).toBe(a?.values.length);
  for (const [index, [timeSeconds, value]] of (a?.values ?? []).entries()) {
    const [otherSeconds, other] = b?.values[index] ?? [];
    expect(otherSeconds, panel).toBe(timeSeconds);
    expect(other, `${panel} at ${timeSeconds}`).toBeCloseTo(value, 6);
  }
}

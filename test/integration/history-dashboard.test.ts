/**
 * The dashboard History over a thousand runs of two years, through its own queries, variables and transformations, on
 * real Prometheus. `npm run bench -- history` shows how long each query takes.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { historyDashboard } from "../../src/dashboards/history.ts";
import {
  bestRun,
  campaignCount,
  campaignEndMs,
  campaignEveryMs,
  dayMs,
  durationMs,
  pastRun,
  runsPerVersion,
  slowerFrom,
  worstRun,
  writeCampaign,
} from "../support/campaign.ts";
import { OpenDashboard, type View } from "../support/dashboard-queries.ts";
import { type MetricsStore, startPrometheus } from "../support/prometheus.ts";
import { encodeRun, type PastRun } from "../support/run-history.ts";
import { describeWithTool } from "../support/tools.ts";
import { postRequest } from "../support/write-series.ts";

/** Runs of another test: one of two generators, and one that was aborted and quick. */
const fleetRun: PastRun = {
  testid: "fleet-1",
  test: "fleet",
  startMs: campaignEndMs - 10 * dayMs,
  seconds: 60,
  durationMs: 100,
  vus: 10,
  tags: { version: "2.0" },
  generator: { instance_id: "a", load_zone: "north" },
};
const otherRuns: readonly PastRun[] = [
  fleetRun,
  {
    ...fleetRun,
    startMs: fleetRun.startMs + 10_000,
    seconds: 30,
    durationMs: 200,
    vus: 5,
    failed: 1,
    generator: { instance_id: "b", load_zone: "south" },
  },
  {
    ...fleetRun,
    testid: "aborted",
    startMs: fleetRun.startMs + dayMs,
    durationMs: 10,
    state: "aborted_by_user",
    generator: {},
  },
];

describeWithTool("prometheus-3", "History of 1 000 runs in two years", (program) => {
  let store: MetricsStore;
  const view: View = { fromMs: campaignEndMs - 730 * dayMs, toMs: campaignEndMs };

  beforeAll(async () => {
    store = await startPrometheus({
      program,
      config: "storage: { tsdb: { out_of_order_time_window: 3y } }\n",
      flags: ["--storage.tsdb.retention.time=3y"],
    });
    await writeCampaign(store);
    for (const one of otherRuns) {
      for (const { body } of encodeRun(one, false)) await postRequest(store.writeUrl, body);
    }
  }, 120_000);

  afterAll(async () => {
    await store?.[Symbol.asyncDispose]();
  });

  const open = async (chosen: Readonly<Record<string, string>> = {}): Promise<OpenDashboard> =>
    await OpenDashboard.open(historyDashboard(), store, { ...view, chosen });

  it("has exactly one point per run, at the run's start", async () => {
    const rows = await (await open()).rows("p95");
    expect(rows.map((row) => [row.get("Run"), row.get("Started")])).toEqual(
      Array.from({ length: campaignCount }, (_, index) => {
        const { testid, startMs } = pastRun(index);
        return [testid, startMs];
      }),
    );
    expectClose(rows[bestRun]?.get("p95"), 0.05);
    expectClose(rows[worstRun]?.get("p95"), 0.4);
  });

  it("has the band of the last twenty runs", async () => {
    const rows = await (await open()).rows("p95");
    // Before the requests got slower, while the twenty hold both, and when all of them are slow.
    for (const index of [slowerFrom - 1, slowerFrom + 9, slowerFrom + 19]) {
      const seconds = Array.from({ length: 20 }, (_, back) => durationMs(index - back) / 1_000);
      const mean = meanOf(seconds);
      const deviation = Math.sqrt(meanOf(seconds.map((one) => (one - mean) ** 2)));
      expectClose(rows[index]?.get("Mean"), mean);
      expectClose(rows[index]?.get("Upper"), mean + 2 * deviation);
      expectClose(rows[index]?.get("Lower"), mean - 2 * deviation);
    }
  });

  it("ranks the best and the worst", async () => {
    const opened = await open();
    for (const [panel, index] of [
      ["Best runs", bestRun],
      ["Worst runs", worstRun],
    ] as const) {
      const rows = await opened.rows(panel);
      expect(rows).toHaveLength(10);
      const sorted = rows.toSorted((a, b) => Number(a.get("p95")) - Number(b.get("p95")));
      const first = panel === "Best runs" ? sorted[0] : sorted.at(-1);
      const { testid, startMs, seconds } = pastRun(index);
      expect(first?.get("Run")).toBe(testid);
      // What the links to Run and Compare take.
      expect(first?.get("Started")).toBe(startMs);
      expect(first?.get("Ended")).toBe(startMs + seconds * 1_000);
    }
  });

  it("has one row for a run of several generators", async () => {
    const opened = await open({ test: "fleet" });
    expect((await opened.ask("Runs", "A"))[0]?.value).toBe(2);
    const rows = await opened.rows("Every run");
    expect(new Set(rows.map((row) => row.get("Run")))).toEqual(new Set(["aborted", "fleet-1"]));
    expect(rows).toHaveLength(2);
    // Two endpoints, once a second each.
    const [first, second] = [2 * 61, 2 * 31];
    expect(Object.fromEntries(rows.find((row) => row.get("Run") === "fleet-1")!)).toMatchObject({
      Started: fleetRun.startMs,
      Ended: fleetRun.startMs + 60_000,
      From: fleetRun.startMs - 5_000,
      To: fleetRun.startMs + 65_000,
      State: "finished",
      Duration: 60,
      "Thresholds failed": 0,
      "Peak VUs": 15,
      "Requests/s": (first + second) / 60,
      Failed: second / (first + second),
      version: "2.0",
    });
    // Of the slowest.
    expectClose(rows.find((row) => row.get("Run") === "fleet-1")?.get("p95"), 0.2);
    const best = await opened.rows("Best runs");
    expect(best.map((row) => row.get("Run"))).toEqual(["fleet-1"]);
  });

  it("begins with the test of the run that a link came from", async () => {
    expect((await open()).value("test")).toBe("campaign");
    expect((await open({ testid: "fleet-1" })).value("test")).toBe("fleet");
  });

  it("sees what changed since a year ago, and that the newest run is like the last ones", async () => {
    const opened = await open();
    const [difference] = await opened.ask("Newest p95 against a year ago", "A");
    const yearAgo = campaignCount - 1 - Math.round((365.25 * dayMs) / campaignEveryMs);
    expectClose(1 + (difference?.value ?? 0), durationMs(campaignCount - 1) / durationMs(yearAgo));
    const [deviation] = await opened.ask("Newest p95 in standard deviations", "A");
    expect(Math.abs(deviation?.value ?? NaN)).toBeLessThan(2);
  });

  it("marks each release at its first run", async () => {
    const opened = await open();
    const marks = await opened.askRange("Annotations", "Releases");
    const times = new Map(
      marks.map(({ metric, values }) => [
        metric["release"],
        // However often it is said, it is one mark.
        [...new Set(values.map(([, timeMs]) => Math.round(timeMs)))],
      ]),
    );
    expect(times).toEqual(
      new Map(
        Array.from({ length: campaignCount / runsPerVersion }, (_, version) => [
          `1.${version}`,
          [pastRun(version * runsPerVersion).startMs],
        ]),
      ),
    );
  });

  it("shows only the runs with the labels asked for", async () => {
    const opened = await open({ filter: 'version=~"1.[34]"' });
    expect((await opened.ask("Runs", "A"))[0]?.value).toBe(2 * runsPerVersion);
    const rows = await opened.rows("p95");
    expect(rows.map((row) => row.get("Run"))).toEqual(
      Array.from({ length: 200 }, (_, index) => pastRun(300 + index).testid),
    );
    expect(await opened.rows("Every run")).toHaveLength(200);
  });

  it("offers every run as the baseline, the newest at first", async () => {
    const opened = await open();
    expect(opened.value("baseline")).toBe(pastRun(campaignCount - 1).testid);
    expect(opened.options("baseline")).toHaveLength(campaignCount);
  });

  it("has data for each of its queries", async () => {
    const opened = await open();
    expect(opened.queries.length).toBeGreaterThan(40);
    const empty: string[] = [];
    for (const query of opened.queries) {
      if ((await opened.count(query)) === 0) empty.push(`${query.panel} ${query.refId}`);
    }
    expect(empty).toEqual([]);
  });
});

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Within what a native histogram says of a quantile. */
function expectClose(actual: string | number | undefined, expected: number): void {
  expect(Math.abs(Number(actual) / expected - 1), `${actual} for ${expected}`).toBeLessThan(0.01);
}

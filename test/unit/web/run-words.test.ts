import { describe, expect, it } from "vitest";
import type { RunTables, TrendRow } from "../../../src/charts/chart-data.ts";
import { runStates } from "../../../src/runs/run-state.ts";
import type { RunView, ThresholdView } from "../../../src/server/api/run-view.ts";
import { generatorAdvice } from "../../../src/web/run/generator-advice.ts";
import { grafanaLinks } from "../../../src/web/run/grafana-links.ts";
import { headlineFigures } from "../../../src/web/run/headline-figures.ts";
import { filterRows, sortRows } from "../../../src/web/run/sort-rows.ts";
import { adviceOf, reasonOf } from "../../../src/web/run/state-advice.ts";
import { thresholdMargin } from "../../../src/web/run/threshold-margin.ts";

const startMs = Date.parse("2026-11-22T22:00:00Z");
const at = (seconds: number): string => new Date(startMs + seconds * 1_000).toISOString();

describe("adviceOf", () => {
  const nowMs = startMs + 100_000;
  const running = { state: "running", result: null, lastData: at(95) } as const;

  it("says what to do about every state but those that are as they should be", () => {
    const silent = runStates.filter(
      (state) => adviceOf({ state, result: null, lastData: at(99) }, nowMs) === null,
    );
    expect(silent).toEqual(["running", "finished"]);
  });

  it("says how long nothing came, and until when that is waited for", () => {
    const advice = adviceOf({ ...running, lastData: at(66) }, nowMs);
    expect(advice?.title).toBe("No data for 34 s.");
    expect(advice?.text).toContain("two minutes");
  });

  it("says that thresholds failed although the test ran its course", () => {
    const run = { ...running, state: "finished", result: "failed" } as const;
    expect(adviceOf(run, nowMs)?.title).toContain("thresholds failed");
  });
});

describe("reasonOf", () => {
  it("is the newest state's, with who asked for it", () => {
    const history = [
      { state: "running", at: at(0), reason: "old", by: null },
      { state: "aborted_by_user", at: at(9), reason: "stopped", by: "ada" },
    ] as const;
    expect(reasonOf({ history })).toBe("stopped, by ada");
    expect(
      reasonOf({ history: [{ state: "running", at: at(0), reason: null, by: null }] }),
    ).toBeNull();
  });
});

describe("thresholdMargin", () => {
  const threshold = (metric: string, expression: string, value: number | null): ThresholdView => ({
    metric,
    expression,
    value,
    abortOnFail: false,
    ok: null,
    generatorOk: null,
  });

  it.each([
    ["http_req_duration{name:home}", "p(95)<500", 400, "400 ms", "< 500 ms", 0.2],
    ["http_req_duration", "p(99.9) <= 500", 600, "600 ms", "<= 500 ms", -0.2],
    ["http_req_failed", "rate<0.01", 0.002, "0.20 %", "< 1.00 %", 0.8],
    ["checks", "rate>0.9", 0.945, "94.50 %", "> 90.00 %", 0.05],
    ["http_reqs", "count>1000", 1_500, "1,500", "> 1,000", 0.5],
    ["http_reqs", "rate>100", 50, "50.0", "> 100", -0.5],
    ["http_req_duration", "count>10", 20, "20.0", "> 10.0", 1],
    ["orders", "value==5", 5, "5.00", "== 5.00", null],
    ["errors", "count<=0", 3, "3.00", "<= 0", null],
  ])("of %s %s at %d", (metric, expression, value, valueText, limit, ratio) => {
    const margin = thresholdMargin(threshold(metric, expression, value));
    expect([margin.value, margin.limit]).toEqual([valueText, limit]);
    if (ratio === null) expect(margin.ratio).toBeNull();
    else expect(margin.ratio).toBeCloseTo(ratio);
  });

  it("has none before there is a sample", () => {
    const margin = thresholdMargin(threshold("checks", "rate>0.9", null));
    expect(margin).toEqual({ value: "no samples", limit: "> 90.00 %", ratio: null });
  });

  it("shows an expression that it cannot read as it is", () => {
    expect(thresholdMargin(threshold("checks", "what?", 1))).toMatchObject({
      limit: "what?",
      ratio: null,
    });
  });
});

const row = (name: string, part: Partial<TrendRow> = {}): TrendRow => ({
  name,
  count: 0,
  perSecond: 0,
  failedRatio: null,
  avg: null,
  p50: null,
  p95: null,
  p99: null,
  totalSeconds: null,
  ...part,
});

describe("headlineFigures", () => {
  const charts = {
    charts: [
      {
        id: "requests",
        title: "",
        description: "",
        unit: "per_second" as const,
        series: [{ name: "done", values: [3, 7, null] }],
      },
    ],
  };
  const tables: RunTables = {
    endpoints: [row("a", { count: 90, failedRatio: 0 }), row("b", { count: 10, failedRatio: 0.5 })],
    scenarios: [],
    groups: [],
    checks: [{ name: "ok", passes: 3, fails: 1 }],
    errors: [],
    ladder: [{ percent: 95, seconds: 0.2 }],
  };
  const open = { summary: [], maxVus: 5, started: at(0), ended: null };

  it("are the store's while the run goes on", () => {
    expect(headlineFigures({ run: open, tables, charts, requests: 107 })).toEqual({
      requests: 107,
      perSecond: 7,
      p50: null,
      p95: 0.2,
      p99: null,
      failedRatio: 0.05,
      vus: null,
      checksRatio: 0.75,
    });
  });

  it("are none before anything is known, and never 0 instead", () => {
    const figures = headlineFigures({
      run: open,
      tables: undefined,
      charts: { charts: [] },
      requests: null,
    });
    expect(Object.values(figures).every((value) => value === null)).toBe(true);
  });

  it("are the record's after the end, also without a store", () => {
    const summary = [
      { metric: "http_reqs", stat: "count", value: 500 },
      { metric: "http_req_duration", stat: "med", value: 0.01 },
      { metric: "http_req_failed", stat: "rate", value: 0.1 },
      { metric: "vus", stat: "max", value: 9 },
    ];
    const run: Pick<RunView, "summary" | "maxVus" | "started" | "ended"> = {
      ...open,
      summary,
      ended: at(10),
    };
    expect(headlineFigures({ run, tables, charts, requests: 499 })).toMatchObject({
      requests: 500,
      perSecond: 50,
      p50: 0.01,
      p95: null,
      failedRatio: 0.1,
      vus: 9,
    });
  });
});

describe("sortRows", () => {
  const rows = [row("b", { p95: 2 }), row("none"), row("a", { p95: 1 }), row("c", { p95: 2 })];

  it("puts what has no value last in either order, and leaves alike ones as they were", () => {
    const names = (order: "asc" | "desc"): string[] =>
      sortRows(rows, "p95", order).map(({ name }) => name);
    expect(names("desc")).toEqual(["b", "c", "a", "none"]);
    expect(names("asc")).toEqual(["a", "b", "c", "none"]);
  });

  it("filters by part of a name in whatever case", () => {
    expect(
      filterRows([row("GET /Cart"), row("POST /pay")], " cart ").map(({ name }) => name),
    ).toEqual(["GET /Cart"]);
    expect(filterRows(rows, "")).toBe(rows);
  });
});

describe("grafanaLinks", () => {
  const run = { test: "a&b", testid: 'x"1', created: at(0), started: at(5), ended: at(65) };

  it("choose the run and its time", () => {
    const [link] = grafanaLinks(run, "https://grafana.test/sub/");
    const url = new URL(link?.url ?? "");
    expect(url.pathname).toBe("/sub/d/plimsoll-run");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      "var-test": "a&b",
      "var-testid": 'x"1',
      from: String(startMs - 25_000),
      to: String(startMs + 95_000),
    });
  });

  it("go on with a run that goes on, and are none where Grafana is not known", () => {
    const [link] = grafanaLinks({ ...run, ended: null }, "https://grafana.test");
    expect(new URL(link?.url ?? "").searchParams.get("to")).toBe("now");
    expect(grafanaLinks(run, null)).toEqual([]);
  });
});

describe("generatorAdvice", () => {
  const chart = (name: string, highest: number): Parameters<typeof generatorAdvice>[0] => ({
    series: [{ name, values: [0, highest, 0] }],
  });

  it("says when the cores were saturated, or iterations dropped", () => {
    expect(generatorAdvice(chart("CPU", 0.95), [1, 2, 3])).toContain("95.00 %");
    expect(generatorAdvice(chart("dropped iterations", 0.1), [1, 2, 3])).toContain("dropped");
  });

  it("says nothing where neither was", () => {
    expect(generatorAdvice(chart("CPU", 0.7), [1, 2, 3])).toBeNull();
    expect(generatorAdvice(chart("dropped iterations", 0), [1, 2, 3])).toBeNull();
  });
});

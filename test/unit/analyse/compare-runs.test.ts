import { describe, expect, it } from "vitest";
import { compareRuns, type ComparedRun } from "../../../src/analyse/compare-runs.ts";
import type { TrendRow } from "../../../src/charts/chart-data.ts";

function row(name: string, p95: number | null, count = 100): TrendRow {
  return {
    name,
    count,
    perSecond: count / 10,
    failedRatio: 0,
    avg: p95,
    p50: p95,
    p95,
    p99: p95,
    totalSeconds: 1,
  };
}

interface Given {
  readonly id: number;
  readonly from?: number;
  readonly done?: readonly (number | null)[];
  readonly endpoints?: readonly TrendRow[];
  readonly record?: Partial<ComparedRun["record"]>;
}

function compared({
  id,
  from = 1_000,
  done = [10, 10],
  endpoints = [],
  record,
}: Given): ComparedRun {
  const step = 5;
  const chart = (chartId: string, name: string, values: readonly (number | null)[]) => ({
    id: chartId,
    title: "",
    description: "",
    unit: "per_second" as const,
    series: [{ name, values }],
  });
  return {
    record: {
      id,
      state: "finished",
      generator: "k6/2.2.0",
      options: { scenarios: { default: { executor: "constant-vus" } } },
      startedMs: from * 1_000,
      endedMs: (from + step * done.length) * 1_000,
      lastDataMs: (from + step * done.length) * 1_000,
      ...record,
    },
    charts: {
      set: "run",
      step,
      times: done.map((_, at) => from + (at + 1) * step),
      charts: [
        chart("requests", "done", done),
        chart("iterations", "done", done),
        chart(
          "vus",
          "running",
          done.map(() => 7),
        ),
      ],
      missing: [],
    },
    tables: {
      endpoints,
      scenarios: [],
      groups: [],
      checks: [],
      errors: [],
      ladder: [
        { percent: 50, seconds: 0.1 * id },
        { percent: 99, seconds: null },
      ],
    },
  };
}

describe("a comparison", () => {
  it("has the times of both since their start", () => {
    const { base, run } = compareRuns(
      compared({ id: 1, from: 1_000 }),
      compared({ id: 2, from: 86_403, done: [1, 1, 1] }),
    );
    expect(base.charts.times).toEqual([5, 10]);
    expect(run.charts.times).toEqual([5, 10, 15]);
  });

  it("says what became of every endpoint of either run", () => {
    const { endpoints } = compareRuns(
      compared({ id: 1, endpoints: [row("kept", 0.2), row("gone", 0.1)] }),
      compared({ id: 2, endpoints: [row("kept", 0.25), row("added", 0.3)] }),
    );
    const p95 = Object.fromEntries(endpoints.map(({ name, p95 }) => [name, p95]));
    expect(p95["kept"]?.ratio).toBeCloseTo(0.25, 12);
    expect(p95["gone"]).toEqual({ base: 0.1, run: null, ratio: null });
    expect(p95["added"]).toEqual({ base: null, run: 0.3, ratio: null });
    expect(endpoints).toHaveLength(3);
  });

  it("has the percentiles of both, and none where one has none", () => {
    const { ladder } = compareRuns(compared({ id: 1 }), compared({ id: 2 }));
    expect(ladder).toEqual([
      { percent: 50, difference: { base: 0.1, run: 0.2, ratio: 1 } },
      { percent: 99, difference: { base: null, run: null, ratio: null } },
    ]);
  });

  it("counts requests to the last one", () => {
    const { load } = compareRuns(
      compared({ id: 1, done: [0.2, 1.4, null, 0.6] }),
      compared({ id: 2 }),
    );
    expect(load.find(({ name }) => name === "requests")?.difference).toMatchObject({
      base: 11,
      run: 100,
    });
  });

  it("is of alike loads where nothing differs", () => {
    const { comparable } = compareRuns(compared({ id: 1 }), compared({ id: 2 }));
    expect(comparable).toEqual({ ok: true, reasons: [] });
  });

  it("says what makes the rest mean nothing", () => {
    const { comparable } = compareRuns(
      compared({ id: 1 }),
      compared({ id: 2, record: { state: "running", generator: "k6/1.8.1", endedMs: 1_020_000 } }),
    );
    expect(comparable).toEqual({
      ok: false,
      reasons: [
        "run 2 is running",
        "other generators: k6/2.2.0 and k6/1.8.1",
        "load differed: duration +100.0 %",
      ],
    });
  });

  it("lets a run that fell silent have ended there", () => {
    const { load } = compareRuns(
      compared({ id: 1 }),
      compared({ id: 2, record: { state: "timed_out", endedMs: 1_130_000 } }),
    );
    expect(load.find(({ name }) => name === "duration")?.difference.run).toBe(10);
  });
});

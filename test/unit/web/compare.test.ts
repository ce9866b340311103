import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Difference, EndpointDifference } from "../../../src/analyse/comparison.ts";
import type { ChartSet } from "../../../src/charts/chart-data.ts";
import { alignCharts } from "../../../src/web/compare/align-charts.ts";
import { differenceWords } from "../../../src/web/compare/difference-words.ts";
import {
  ladderPoints,
  percentilePosition,
  roundTicks,
} from "../../../src/web/compare/ladder-scale.ts";
import { sortDifferences } from "../../../src/web/compare/sort-differences.ts";

const difference = (base: number | null, run: number | null): Difference => ({
  base,
  run,
  ratio: base === null || run === null || base === 0 ? null : (run - base) / base,
});

describe("differenceWords", () => {
  it.each([
    ["latency", 0.1, 0.125, "+25.0 %, slower", "worse"],
    ["latency", 0.1, 0.08, "−20.0 %, faster", "better"],
    ["latency", 0.1, 0.1005, "the same", "plain"],
    ["latency", null, null, "–", "plain"],
    ["latency", null, 0.1, "new", "plain"],
    ["latency", 0.1, null, "gone", "plain"],
    ["failures", 0, 0.01, "more fail", "worse"],
    ["failures", 0, 0, "the same", "plain"],
    ["load", 20, 50, "+150 %, more", "plain"],
  ] as const)("%s from %s to %s", (kind, base, run, text, tone) => {
    expect(differenceWords(kind, difference(base, run))).toEqual({ text, tone });
  });
});

describe("alignCharts", () => {
  const set = (
    times: readonly number[],
    values: readonly (number | null)[],
    id = "latency",
  ): ChartSet => ({
    set: "run",
    step: 1,
    times,
    charts: [
      { id, title: "T", description: "", unit: "seconds", series: [{ name: "p95", values }] },
    ],
    missing: [],
  });

  it("puts both runs on the times of either, the base first", () => {
    const { times, charts } = alignCharts(
      { name: "base 1", charts: set([0, 2, 4], [1, 2, 3]) },
      { name: "run 2", charts: set([0, 1, 2], [7, 8, 9]) },
    );
    expect(times).toEqual([0, 1, 2, 4]);
    expect(charts[0]?.series).toEqual([
      { name: "p95, base 1", values: [1, null, 2, 3] },
      { name: "p95, run 2", values: [7, 8, 9, null] },
    ]);
  });

  it("keeps what only one run measured, and leaves endpoints to their table", () => {
    const { charts } = alignCharts(
      { name: "base 1", charts: set([0], [1], "endpoints") },
      { name: "run 2", charts: set([0], [7], "vus") },
    );
    expect(charts.map(({ id }) => id)).toEqual(["vus"]);
    expect(charts[0]?.series.map(({ values }) => values)).toEqual([[null], [7]]);
  });
});

describe("percentilePosition", () => {
  it("gives each nine as much room as the one before", () => {
    expect([0, 90, 99, 99.9].map((percent) => percentilePosition(percent))).toEqual([
      expect.closeTo(0),
      expect.closeTo(1),
      expect.closeTo(2),
      expect.closeTo(3),
    ]);
  });

  it("rises with the percentile", () => {
    const percent = integer({ min: 0, max: 99_999 }).map((thousandths) => thousandths / 1_000);
    assert(
      property(percent, percent, (a, b) => {
        expect(Math.sign(percentilePosition(a) - percentilePosition(b))).toBe(Math.sign(a - b));
      }),
    );
  });

  it("leaves out rungs that a run has no value for", () => {
    const ladder = [
      { percent: 50, difference: difference(1, null) },
      { percent: 90, difference: difference(2, 3) },
    ];
    const scale = { x: (percent: number) => percent, y: (seconds: number) => seconds };
    expect(ladderPoints(ladder, "base", scale)).toBe("50.0,1.0 90.0,2.0");
    expect(ladderPoints(ladder, "run", scale)).toBe("90.0,3.0");
  });
});

describe("roundTicks", () => {
  it("are a few round values from 0 on, whatever the scale", () => {
    const most = integer({ min: 1, max: 1_000_000_000 }).map((micros) => micros / 1e6);
    assert(
      property(most, (seconds) => {
        const ticks = roundTicks(seconds);
        expect(ticks[0]).toBe(0);
        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(8);
        expect(ticks.every((tick) => tick < seconds)).toBe(true);
        const [, step = 0] = ticks;
        expect([1, 2, 5]).toContainEqual(
          expect.closeTo(step / 10 ** Math.floor(Math.log10(step * (1 + 1e-9)))),
        );
      }),
    );
    expect(roundTicks(0.55)).toEqual([0, 0.1, 0.2, expect.closeTo(0.3), 0.4, 0.5]);
  });
});

describe("sortDifferences", () => {
  const none = difference(null, null);
  const endpoint = (name: string, p95: Difference, failedRatio = none): EndpointDifference => ({
    name,
    count: none,
    perSecond: none,
    failedRatio,
    p50: none,
    p95,
    p99: none,
  });

  it("puts first what got worse, and last what only one run has", () => {
    const rows = [
      endpoint("new", difference(null, 9)),
      endpoint("better", difference(2, 1)),
      endpoint("worse", difference(1, 2)),
      endpoint("same", difference(1, 1)),
    ];
    expect(sortDifferences(rows, "p95", "desc").map(({ name }) => name)).toEqual([
      "worse",
      "same",
      "better",
      "new",
    ]);
  });

  it("takes failures where there were none for more than any share", () => {
    const rows = [
      endpoint("doubled", none, difference(0.1, 0.2)),
      endpoint("first failures", none, difference(0, 0.001)),
    ];
    expect(sortDifferences(rows, "failedRatio", "desc")[0]?.name).toBe("first failures");
  });
});

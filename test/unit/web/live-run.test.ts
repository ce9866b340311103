import {
  array,
  assert,
  constantFrom,
  integer,
  option,
  property,
  record,
  uniqueArray,
} from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChartSet } from "../../../src/charts/chart-data.ts";
import { LiveRun, unsettledSince } from "../../../src/web/run/live-run.ts";

type Point = readonly [time: number, value: number | null];

/** A set with one chart and one series. */
function setOf(points: readonly Point[], { step = 1, name = "p95" } = {}): ChartSet {
  return {
    set: "run",
    step,
    times: points.map(([time]) => time),
    charts: [
      {
        id: "latency",
        title: "Latency",
        description: "",
        unit: "seconds",
        series: [{ name, values: points.map(([, value]) => value) }],
      },
    ],
    missing: [],
  };
}

/** Every so many seconds from `first` to `last`, each the value of its layer. */
function course(first: number, last: number, value: number, step = 1): Point[] {
  const points: Point[] = [];
  for (let time = first; time <= last; time += step) points.push([time, value]);
  return points;
}

function shown(live: LiveRun): Point[] {
  const { times, charts } = live.charts;
  return times.map((time, index) => [time, charts[0]?.series[0]?.values[index] ?? null]);
}

describe("LiveRun", () => {
  it("shows the same in whatever order seconds come that agree", () => {
    const values = uniqueArray(
      record({
        time: integer({ min: 0, max: 60 }),
        value: option(integer({ min: 0, max: 9 }), { nil: null }),
      }),
      {
        selector: ({ time }) => time,
        minLength: 1,
      },
    );
    const cuts = array(integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 12 });
    assert(
      property(values, cuts, constantFrom(1, -1), (seconds, bounds, direction) => {
        const all = seconds
          .map(({ time, value }): Point => [time, value])
          .toSorted(([a], [b]) => a - b);
        const parts = bounds.map((bound, index) => {
          const other = bounds[index + 1] ?? 60;
          return all.filter(
            ([time]) => time >= Math.min(bound, other) && time <= Math.max(bound, other),
          );
        });
        const once = new LiveRun();
        once.addLive(setOf(all));
        const inParts = new LiveRun();
        for (const part of direction === 1 ? parts : parts.toReversed())
          inParts.addLive(setOf(part));
        inParts.addLive(
          setOf(all.filter(([time]) => !parts.flat().some(([known]) => known === time))),
        );
        expect(shown(inParts)).toEqual(shown(once));
      }),
    );
  });

  it("takes the newer values where seconds come again, also where there is none any more", () => {
    const live = new LiveRun();
    live.addLive(
      setOf([
        [1, 5],
        [2, 6],
        [3, 7],
      ]),
    );
    live.addLive(
      setOf([
        [2, 8],
        [3, null],
        [4, 9],
      ]),
    );
    expect(shown(live)).toEqual([
      [1, 5],
      [2, 8],
      [3, null],
      [4, 9],
    ]);
  });

  it("puts a late second in its place", () => {
    const live = new LiveRun();
    live.addLive(
      setOf([
        [1, 1],
        [3, 3],
      ]),
    );
    live.addLive(setOf([[2, 2]]));
    expect(shown(live)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it("gives a series that comes later nothing for the times before", () => {
    const live = new LiveRun();
    live.addLive(setOf([[1, 1]]));
    live.addLive(setOf([[2, 2]], { name: "p99" }));
    expect(live.charts.charts[0]?.series).toEqual([
      { name: "p95", values: [1, null] },
      { name: "p99", values: [null, 2] },
    ]);
  });

  it("shows live seconds behind the history, and neither misses one nor shows one twice", () => {
    const live = new LiveRun();
    live.setHistory(setOf(course(6, 60, 1, 6), { step: 6 }));
    live.addLive(setOf(course(51, 63, 2)));
    expect(shown(live)).toEqual([...course(6, 54, 1, 6), ...course(55, 63, 2)]);
  });

  it("forgets seconds that the history has settled, and keeps those that may still change", () => {
    const live = new LiveRun();
    live.addLive(setOf(course(1, 60, 2)));
    live.setHistory(setOf(course(6, 60, 1, 6), { step: 6 }));
    expect(shown(live)).toEqual([...course(6, 48, 1, 6), ...course(49, 60, 2)]);
  });

  it("shows a part in more detail for as long as it is looked at", () => {
    const live = new LiveRun();
    const history = course(0, 120, 1, 12);
    live.setHistory(setOf(history, { step: 12 }));
    live.setDetail(setOf(course(30, 50, 3)));
    expect(shown(live)).toEqual([
      ...course(0, 36, 1, 12),
      ...course(37, 50, 3),
      ...course(60, 120, 1, 12),
    ]);
    live.setDetail(null);
    expect(shown(live)).toEqual(history);
  });

  it("adds up to the same whatever it has asked for coarser", () => {
    assert(
      property(
        integer({ min: 1, max: 30 }),
        integer({ min: 40, max: 400 }),
        integer({ min: 0, max: 30 }),
        (step, last, back) => {
          const live = new LiveRun();
          const settled = Math.floor(last / step) * step;
          live.setHistory(setOf(course(step, settled, 2, step), { step }));
          live.addLive(setOf(course(Math.max(1, settled - back + 1), last, 2)));
          expect(live.total("latency", "p95")).toBe(2 * last);
          live.setDetail(setOf(course(5, 25, 2)));
          expect(live.total("latency", "p95")).toBe(2 * last);
          expect(live.total("latency", "p50")).toBeNull();
        },
      ),
    );
  });

  it("adds up to the same while the last coarse step is not over", () => {
    // One a second up to `now`, and a grid whose last step ends after it.
    const so = (now: number, step: number): ChartSet =>
      setOf(
        course(step, Math.ceil(now / step) * step, 0, step).map(([time]) => [
          time,
          (Math.min(time, now) - (time - step)) / step,
        ]),
        { step },
      );
    assert(
      property(
        constantFrom(2, 5, 10, 15, 30, 60, 120),
        integer({ min: 1, max: 900 }),
        integer({ min: 0, max: 300 }),
        integer({ min: 0, max: 5 }),
        (step, now, later, late) => {
          const live = new LiveRun();
          const history = so(now, step);
          const from = unsettledSince(history) ?? 0;
          const seconds = setOf(course(from + 1, now + late, 1));
          live.setHistory(history, seconds);
          expect(live.total("latency", "p95")).toBeCloseTo(now + late, 6);
          live.addLive(setOf(course(Math.max(1, now - 9), now + later + late, 1)));
          expect(live.total("latency", "p95")).toBeCloseTo(now + later + late, 6);
          live.setHistory(history, seconds);
          expect(live.total("latency", "p95")).toBeCloseTo(now + later + late, 6);
          expect(live.charts.times.at(-1)).toBe(now + later + late);
          live.setWhole(so(now + later + late, step));
          expect(live.total("latency", "p95")).toBeCloseTo(now + later + late, 6);
        },
      ),
    );
  });

  it("stays bounded over a day, asking for the history now and then", () => {
    const live = new LiveRun();
    const day = 86_400;
    let asked = 0;
    let most = 0;
    for (let time = 1; time <= day; time++) {
      live.addLive(setOf(course(Math.max(1, time - 9), time, 2)));
      if (live.wantsHistory) {
        const step = Math.ceil(time / 1_200);
        live.setHistory(setOf(course(step, Math.floor(time / step) * step, 1, step), { step }));
        asked++;
      }
      if (time % 600 === 0) most = Math.max(most, live.charts.times.length);
    }
    expect(asked).toBeGreaterThan(day / 1_200 / 2);
    expect(asked).toBeLessThan((day / 1_200) * 2);
    expect(most).toBeLessThan(2_600);
    const times = live.charts.times;
    expect(times.at(-1)).toBe(day);
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  });

  it("stays bounded where the history cannot be had", () => {
    const live = new LiveRun();
    for (let first = 1; first < 40_000; first += 100)
      live.addLive(setOf(course(first, first + 99, 2)));
    expect(live.charts.times.length).toBeLessThan(5_000);
    expect(live.newestSeconds).toBe(40_000);
  });

  it("keeps the order of series, so that none changes its colour", () => {
    const live = new LiveRun();
    live.addLive(setOf([[1, 1]], { name: "b" }));
    live.addLive(setOf([[2, 1]], { name: "a" }));
    live.setHistory(
      setOf(
        [
          [1, 1],
          [2, 2],
        ],
        { name: "a" },
      ),
    );
    expect(live.charts.charts[0]?.series.map(({ name }) => name)).toEqual(["b", "a"]);
  });

  it("puts a series that has its first values late where the set has it, and an endpoint last", () => {
    const namesOf = (id: string): readonly string[] => {
      const live = new LiveRun();
      const withSeries = (...names: string[]): ChartSet => {
        const set = setOf([[1, 1]]);
        const series = names.map((name) => ({ name, values: [1] }));
        return { ...set, charts: set.charts.map((chart) => ({ ...chart, id, series })) };
      };
      live.addLive(withSeries("failed"));
      live.addLive(withSeries("done", "failed"));
      return live.charts.charts[0]?.series.map(({ name }) => name) ?? [];
    };
    expect(namesOf("requests")).toEqual(["done", "failed"]);
    expect(namesOf("endpoints")).toEqual(["failed", "done"]);
  });

  it("puts a chart that has its first values late where the set has it", () => {
    const live = new LiveRun();
    const withCharts = (...ids: string[]): ChartSet => {
      const set = setOf([[1, 1]]);
      return { ...set, charts: ids.flatMap((id) => set.charts.map((chart) => ({ ...chart, id }))) };
    };
    live.addLive(withCharts("requests", "failed"));
    live.addLive(withCharts("requests", "latency", "failed", "vus"));
    live.setHistory(withCharts("load", "requests", "vus"));
    expect(live.charts.charts.map(({ id }) => id)).toEqual([
      "load",
      "requests",
      "latency",
      "failed",
      "vus",
    ]);
  });

  it("is the same object until something changes", () => {
    const live = new LiveRun();
    live.addLive(setOf([[1, 1]]));
    const before = live.charts;
    expect(live.charts).toBe(before);
    live.addLive(setOf([[2, 1]]));
    expect(live.charts).not.toBe(before);
  });
});

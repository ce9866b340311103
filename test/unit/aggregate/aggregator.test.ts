import { array, assert, constantFrom, integer, property, record, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregator, type AggregatorOptions } from "../../../src/aggregate/aggregator.ts";
import { parseTrendStat } from "../../../src/aggregate/trend-stat.ts";
import type { MapperOptions } from "../../../src/encode/prometheus-mapper.ts";
import type { Metric } from "../../../src/sample/metric.ts";
import { createMapper } from "../../support/mapper.ts";
import { RecordingPoints } from "../../support/recording-points.ts";

const reqs: Metric = { name: "reqs", type: "counter", contains: "default" };
const vus: Metric = { name: "vus", type: "gauge", contains: "default" };
const failed: Metric = { name: "failed", type: "rate", contains: "default" };
const duration: Metric = { name: "duration", type: "trend", contains: "time" };

const t0 = Date.UTC(2026, 7, 21, 10, 15, 0);

function setUp(
  options: Partial<AggregatorOptions> = {},
  mapperOptions: Partial<MapperOptions> = {},
): { points: RecordingPoints; aggregator: Aggregator } {
  const points = new RecordingPoints();
  const aggregator = new Aggregator(createMapper(mapperOptions), points, {
    pushIntervalMs: 1_000,
    latenessMs: 250,
    staleMarkers: false,
    clock: { nowMs: () => t0 + 86_400_000, sleep: async () => undefined },
    ...options,
  });
  return { points, aggregator };
}

describe("Aggregator", () => {
  it("sends a running total at the end of each interval, a zero before the first sample, the rest after the last", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(reqs, new Map());
    for (const [ms, value] of [
      [100, 1],
      [900, 2],
      [1_100, 4],
      [2_000, 8],
    ] as const) {
      aggregator.sample(id, t0 + ms, value);
    }
    aggregator.finish();
    expect(points.of("k6_reqs_total{}")).toEqual([
      [t0 + 99, 0],
      [t0 + 1_000, 3],
      [t0 + 2_000, 7],
      [t0 + 2_001, 15],
    ]);
    // Cumulative points say since when; the zero itself does not.
    expect(points.points.map(({ startMs }) => startMs)).toEqual([0, t0 + 99, t0 + 99, t0 + 99]);
  });

  it("closes an interval when a sample is newer than its end by the allowed lateness, not before", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(reqs, new Map());
    aggregator.sample(id, t0 + 500, 1);
    aggregator.sample(id, t0 + 1_249, 1);
    expect(points.intervals).toEqual([]);
    aggregator.sample(id, t0 + 900, 1);
    aggregator.sample(id, t0 + 1_250, 1);
    expect(points.intervals).toEqual([t0 + 1_000]);
    expect(points.of("k6_reqs_total{}").at(-1)).toEqual([t0 + 1_000, 2]);
    expect(aggregator.counts.late).toBe(0);
  });

  it("counts a sample of a closed interval in the open one, and says how many there were", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(reqs, new Map());
    aggregator.sample(id, t0 + 100, 1);
    aggregator.sample(id, t0 + 1_300, 1);
    // A k6/ws session of half an hour is stamped at its start.
    aggregator.sample(id, t0 - 1_800_000, 5);
    aggregator.finish();
    expect(points.of("k6_reqs_total{}")).toEqual([
      [t0 + 99, 0],
      [t0 + 1_000, 1],
      [t0 + 1_301, 7],
    ]);
    expect(aggregator.counts).toMatchObject({ read: 3, aggregated: 3, late: 1 });
  });

  it("sends what changed, and repeats what is idle every ten seconds", () => {
    const { points, aggregator } = setUp();
    const busy = aggregator.series(reqs, new Map([["a", "busy"]]));
    const idle = aggregator.series(reqs, new Map([["a", "idle"]]));
    aggregator.sample(idle, t0 + 500, 1);
    for (let second = 0; second < 25; second++) {
      aggregator.sample(busy, t0 + second * 1_000 + 500, 1);
    }
    aggregator.finish();
    expect(points.of('k6_reqs_total{a="busy"}')).toHaveLength(26);
    expect(points.of('k6_reqs_total{a="idle"}')).toEqual([
      [t0 + 499, 0],
      [t0 + 1_000, 1],
      [t0 + 11_000, 1],
      [t0 + 21_000, 1],
      // `increase()` guesses on behind a series that stops before the run does.
      [t0 + 24_501, 1],
    ]);
  });

  it("lets time go on without samples when it is told to", () => {
    const { points, aggregator } = setUp();
    aggregator.advanceTo(t0);
    aggregator.sample(aggregator.series(reqs, new Map()), t0 + 500, 1);
    aggregator.advanceTo(t0 + 999);
    expect(points.intervals).toEqual([]);
    aggregator.advanceTo(t0 + 1_000);
    expect(points.intervals).toEqual([t0 + 1_000]);
    aggregator.finish();
    expect(points.of("k6_reqs_total{}")).toEqual([
      [t0 + 499, 0],
      [t0 + 1_000, 1],
      [t0 + 1_001, 1],
    ]);
  });

  it("says when the run began and ended, which late samples do not change", () => {
    const { aggregator } = setUp();
    expect([aggregator.oldestMs, aggregator.newestMs]).toEqual([0, 0]);
    const id = aggregator.series(reqs, new Map());
    // The first one waits: the interval before its own is still open.
    for (const ms of [1_100, 1_050, 900, 3_000, -600_000]) aggregator.sample(id, t0 + ms, 1);
    expect([aggregator.oldestMs, aggregator.newestMs]).toEqual([t0 + 900, t0 + 3_000]);
  });

  it("skips a gap that nothing looks back over, however long", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(reqs, new Map());
    aggregator.sample(id, t0 + 1, 1);
    aggregator.sample(id, t0 + 36_000_000 + 500, 1);
    aggregator.finish();
    expect(points.of("k6_reqs_total{}")).toEqual([
      [t0, 0],
      [t0 + 1_000, 1],
      [t0 + 36_000_501, 2],
    ]);
  });

  it("keeps the gauge that is newest by its own time, and the last of several at one time", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(vus, new Map());
    aggregator.sample(id, t0 + 300, 3);
    aggregator.sample(id, t0 + 100, 1);
    aggregator.sample(id, t0 + 300, 4);
    aggregator.finish();
    expect(points.of("k6_vus{}")).toEqual([[t0 + 301, 4]]);
    expect(aggregator.totals()).toMatchObject([{ value: 4, peak: 4 }]);
  });

  it("sends a rate as two counters and its share since the start, whatever the size of the values", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(failed, new Map());
    for (const value of [0, 1, 0, -7]) aggregator.sample(id, t0 + 1, value);
    aggregator.sample(id, t0 + 1_500, 0);
    aggregator.finish();
    expect(points.of('k6_failed_total{condition="nonzero"}')).toEqual([
      [t0, 0],
      [t0 + 1_000, 2],
      [t0 + 1_501, 2],
    ]);
    expect(points.of('k6_failed_total{condition="zero"}').at(-1)).toEqual([t0 + 1_501, 3]);
    expect(points.of("k6_failed_rate{}")).toEqual([
      [t0 + 1_000, 0.5],
      [t0 + 1_501, 0.4],
    ]);
  });

  it("sends a trend as a histogram in seconds, with an empty one before it, and the stats asked for", () => {
    const trendStats = ["count", "sum", "min", "max", "avg", "med", "p(90)"].map((stat) =>
      parseTrendStat(stat)!,
    );
    const { points, aggregator } = setUp({}, { trendStats });
    const id = aggregator.series(duration, new Map());
    for (const ms of [10, 20, 30, 40]) aggregator.sample(id, t0, ms);
    aggregator.finish();
    expect(points.of("k6_duration_seconds{}")).toEqual([
      [t0 - 1, 0],
      [t0 + 1, 4],
    ]);
    const stat = (name: string): number | undefined => points.of(`k6_duration_${name}{}`)[0]?.[1];
    // The count is not a time: k6's own output divides it by 1 000.
    expect(stat("count")).toBe(4);
    expect(stat("sum")).toBeCloseTo(0.1, 12);
    expect(stat("min")).toBe(0.01);
    expect(stat("max")).toBe(0.04);
    expect(stat("avg")).toBeCloseTo(0.025, 12);
    // k6's check values: {10, 20, 30, 40} has med 25 and p(90) 37.
    expect(Math.abs((stat("med") ?? 0) / 0.025 - 1)).toBeLessThan(0.01);
    expect(Math.abs((stat("p90") ?? 0) / 0.037 - 1)).toBeLessThan(0.01);
  });

  it("sends classic buckets as cumulative counts that end at +Inf", () => {
    const { points, aggregator } = setUp({}, { trendForm: "classic" });
    const id = aggregator.series(duration, new Map());
    for (const ms of [0, 1, 1.5, 60_000, 60_001]) aggregator.sample(id, t0, ms);
    aggregator.finish();
    const at = (le: string): number | undefined =>
      points.of(`k6_duration_seconds_bucket{le="${le}"}`).at(-1)?.[1];
    expect([at("0.001"), at("0.002"), at("45"), at("60"), at("+Inf")]).toEqual([2, 3, 3, 4, 5]);
    expect(points.of("k6_duration_seconds_count{}").at(-1)?.[1]).toBe(5);
    expect(points.of('k6_duration_seconds_bucket{le="+Inf"}')[0]).toEqual([t0 - 1, 0]);
  });

  it("keeps classic buckets cumulative when relabelling drops some of them", () => {
    const { points, aggregator } = setUp(
      {},
      {
        trendForm: "classic",
        relabel: (labels) =>
          labels.some(({ name, value }) => name === "le" && value === "0.001")
            ? undefined
            : [...labels],
      },
    );
    aggregator.sample(aggregator.series(duration, new Map()), t0, 0.5);
    aggregator.finish();
    expect(points.of('k6_duration_seconds_bucket{le="0.002"}').at(-1)?.[1]).toBe(1);
  });

  it("ends each series with a stale marker right after its last point", () => {
    const { points, aggregator } = setUp({ staleMarkers: true });
    aggregator.sample(aggregator.series(reqs, new Map()), t0 + 1, 1);
    aggregator.sample(aggregator.series(duration, new Map()), t0 + 1, 1);
    aggregator.finish();
    const markers = points.points.filter(({ kind }) => kind === "stale");
    expect(markers.map(({ series, timestampMs }) => [series, timestampMs])).toEqual([
      ["k6_reqs_total{}", t0 + 3],
      ["k6_duration_seconds{}", t0 + 3],
    ]);
    expect(points.intervals).toEqual([t0 + 2, t0 + 3]);
  });

  it("gives every series a point in the last interval, and no end to a series that never began", () => {
    const { points, aggregator } = setUp({ staleMarkers: true });
    const series = (name: string) => aggregator.series(reqs, new Map([["s", name]]));
    const [early, late, unused] = [series("early"), series("late"), series("unused")];
    aggregator.sample(early, t0 + 500, 2);
    aggregator.sample(late, t0 + 3_500, 1);
    aggregator.sample(unused, t0 + 3_600, NaN);
    aggregator.finish();
    expect(points.of('k6_reqs_total{s="early"}')).toEqual([
      [t0 + 499, 0],
      [t0 + 1_000, 2],
      [t0 + 3_501, 2],
      [t0 + 3_502, NaN],
    ]);
    expect(points.of('k6_reqs_total{s="late"}').slice(1)).toEqual([
      [t0 + 3_501, 1],
      [t0 + 3_502, NaN],
    ]);
    expect(points.of('k6_reqs_total{s="unused"}')).toEqual([]);
  });

  it("puts the zeros of new series into a request of their own", () => {
    // A request that is sent twice is taken twice only if each of its points is its series' newest.
    const { points, aggregator } = setUp();
    aggregator.sample(aggregator.series(reqs, new Map([["s", "a"]])), t0 + 100, 1);
    aggregator.sample(aggregator.series(reqs, new Map([["s", "b"]])), t0 + 1_400, 1);
    aggregator.finish();
    for (const request of points.requests) {
      const names = request.map(({ series }) => series);
      expect(names).toEqual([...new Set(names)]);
    }
    expect(points.requests.map((request) => request.length)).toEqual([1, 1, 1, 2]);
  });

  it("drops an observation that would make a trend's sum infinite", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series({ ...duration, contains: "default" }, new Map());
    for (const value of [1.7e308, 1.7e308, 1]) aggregator.sample(id, t0, value);
    aggregator.finish();
    expect(points.of("k6_duration{}").at(-1)).toEqual([t0 + 1, 2]);
    expect([...aggregator.counts.dropped]).toEqual([["not_finite", 1]]);
    expect(aggregator.totals()[0]?.trend?.quantile(0.5)).toBeLessThan(Infinity);
  });

  it("sends nothing for a run without samples", () => {
    const { points, aggregator } = setUp({ staleMarkers: true });
    aggregator.series(reqs, new Map());
    expect(aggregator.finish()).toBeUndefined();
    expect(points.points).toEqual([]);
  });

  it.each([
    ["NaN", NaN, 0, "not_finite"],
    ["infinity", Infinity, 0, "not_finite"],
    ["a negative increment of a counter", -1, 0, "negative_counter"],
    ["a time in 1970", 1, 1_000 - t0, "timestamp_out_of_range"],
    ["a time that is none", 1, NaN, "timestamp_out_of_range"],
    ["a time of more than a minute ahead", 1, 86_400_000 + 60_001, "timestamp_out_of_range"],
  ] as const)("drops and counts %s", (_, value, offsetMs, reason) => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(reqs, new Map());
    aggregator.sample(id, t0, 1);
    aggregator.sample(id, t0 + offsetMs, value);
    aggregator.finish();
    expect(aggregator.counts).toMatchObject({ read: 2, aggregated: 1 });
    expect([...aggregator.counts.dropped]).toEqual([[reason, 1]]);
    expect(points.of("k6_reqs_total{}").at(-1)).toEqual([t0 + 1, 1]);
  });

  it("takes 1e308 as it is", () => {
    const { points, aggregator } = setUp();
    aggregator.sample(aggregator.series(vus, new Map()), t0, 1e308);
    aggregator.finish();
    expect(points.of("k6_vus{}")).toEqual([[t0 + 1, 1e308]]);
  });

  it("keeps a counter finite: what would overflow it is dropped and counted", () => {
    const { points, aggregator } = setUp();
    const id = aggregator.series(reqs, new Map());
    for (const value of [1e308, 1e308, 5]) aggregator.sample(id, t0, value);
    aggregator.finish();
    expect(points.of("k6_reqs_total{}").at(-1)).toEqual([t0 + 1, 1e308]);
    expect(aggregator.counts).toMatchObject({ read: 3, aggregated: 2 });
  });

  const sample = record({
    series: integer({ min: 0, max: 3 }),
    ms: integer({ min: 0, max: 12_000 }),
    value: integer({ min: 0, max: 9 }),
  });

  it("loses nothing, whatever the order, and gives the same points every time", () => {
    const config = tuple(constantFrom(100, 1_000, 5_000), constantFrom(0, 250, 2_000));
    assert(
      property(
        array(sample, { maxLength: 80 }),
        config,
        (samples, [pushIntervalMs, latenessMs]) => {
          const run = (): RecordingPoints => {
            const { points, aggregator } = setUp({ pushIntervalMs, latenessMs });
            const ids = [0, 1, 2, 3].map((label) =>
              aggregator.series(reqs, new Map([["s", String(label)]])),
            );
            for (const { series, ms, value } of samples) {
              aggregator.sample(ids[series] ?? 0, t0 + ms, value);
            }
            aggregator.finish();
            expect(aggregator.counts.aggregated).toBe(samples.length);
            return points;
          };
          const points = run();
          expect(run().points).toEqual(points.points);
          for (const series of [0, 1, 2, 3]) {
            const mine = samples.filter((one) => one.series === series);
            const seen = points.of(`k6_reqs_total{s="${series}"}`);
            if (mine.length === 0) {
              expect(seen).toEqual([]);
              continue;
            }
            expect(seen.at(-1)?.[1]).toBe(mine.reduce((sum, { value }) => sum + value, 0));
            expect(seen[0]?.[1]).toBe(0);
            for (const [timestampMs, value] of seen) {
              const isFirst = timestampMs === seen[0]?.[0];
              const isLast = timestampMs === seen.at(-1)?.[0];
              if (!isFirst && !isLast) expect(timestampMs % pushIntervalMs).toBe(0);
              // No point knows of samples that are not older than itself.
              const older = mine.filter(({ ms }) => t0 + ms < timestampMs);
              expect(value).toBeLessThanOrEqual(older.reduce((sum, one) => sum + one.value, 0));
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("goes on behind its end with what comes late, and ends again, at any time", () => {
    assert(
      property(array(integer({ min: -5_000, max: 5_000 }), { maxLength: 8 }), (lateMs) => {
        // The recorder refuses a point that is not newer than those before.
        const { points, aggregator } = setUp({ staleMarkers: true });
        const id = aggregator.series(reqs, new Map());
        aggregator.sample(id, t0 + 500, 1);
        let endMs = aggregator.finish() ?? 0;
        for (const ms of lateMs) {
          aggregator.sample(id, t0 + 500 + ms, 1);
          aggregator.advanceTo(endMs + 1_500);
          const next = aggregator.finish() ?? 0;
          expect(next).toBeGreaterThan(endMs);
          endMs = next;
        }
        const values = points.of("k6_reqs_total{}").filter(([, value]) => !Number.isNaN(value));
        expect(values.at(-1)?.[1]).toBe(lateMs.length + 1);
      }),
    );
  });
});

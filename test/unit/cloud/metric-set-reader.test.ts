import snappy from "snappy";
import { describe, expect, it } from "vitest";
import { Aggregator } from "../../../src/aggregate/aggregator.ts";
import { MetricSetReader } from "../../../src/cloud/metric-set-reader.ts";
import type { SampleBucket } from "../../../src/sample/sample-bucket.ts";
import { encodeMetricSet, type PushedMetric } from "../../support/encode-metric-set.ts";
import { createMapper } from "../../support/mapper.ts";
import { RecordingPoints } from "../../support/recording-points.ts";

const second = 1_787_000_000;
const t0 = second * 1_000;

function setUp(nowMs = t0 + 60_000): {
  points: RecordingPoints;
  aggregator: Aggregator;
  asked: string[];
  notices: string[];
  clock: { nowMs: () => number; sleep: () => Promise<void>; now: number };
  read: (...metrics: PushedMetric[]) => Promise<void>;
} {
  const clock = { now: nowMs, nowMs: () => clock.now, sleep: async () => undefined };
  const points = new RecordingPoints();
  const options = { pushIntervalMs: 1_000, latenessMs: 250, staleMarkers: false, clock };
  const aggregator = new Aggregator(createMapper(), points, options);
  const asked: string[] = [];
  const notices: string[] = [];
  const reader = new MetricSetReader(aggregator, {
    clock,
    startMs: t0 + 100,
    contentOf: async (metric) => {
      asked.push(metric);
      return metric === "parse_time" ? "time" : "default";
    },
    onNotice: (text) => notices.push(text),
  });
  const read = (...metrics: PushedMetric[]): Promise<void> => reader.read(encodeMetricSet(metrics));
  return { points, aggregator, asked, notices, clock, read };
}

/** One series of one metric: its values by the second after `second`. */
function pushed(
  name: string,
  type: PushedMetric["type"],
  values: Readonly<Record<number, readonly number[]>>,
  tags: Readonly<Record<string, string>> = {},
): PushedMetric {
  const buckets = Object.entries(values).map(([at, own]) => ({
    seconds: second + Number(at),
    values: own,
  }));
  return { name, type, series: [{ tags, values: buckets }] };
}

describe("MetricSetReader", () => {
  it("turns k6's own push into buckets", async () => {
    // The reference's vector: 3 requests, durations 12.5, 12.5 and 300.2, in the three seconds from 2026-01-01.
    const body =
      "0gHw0QoDMTIzEAMaSAoJaHR0cF9yZXFzEAEaOQoTCghzY2VuYXJpbxIHZGVmYXVsdAoNCgZtZXRob2QSA0dFVBITChEKBgiA8tbKBhEAAAAAAAAI" +
      "QBp/ChFodHRwX3JlcV9kdXJhdGlvbhAEGmgKEwoIc2NlbmFyaW8SB2RlZmF1bHQKDQoGbWV0aG9kEgNHRVQqQgpACgYIgPLWygYSAgIBGgUIwwcQ" +
      "ARoFCM4EEAEpMzMzMzNTdEAwAzkAAAAAAAApQEEzMzMzM8NyQFn8qfHSTWJQPw==";
    const calls: unknown[] = [];
    const sink = {
      series: (metric: { name: string }, tags: ReadonlyMap<string, string>) => {
        calls.push([metric.name, Object.fromEntries(tags)]);
        return calls.length;
      },
      bucket: (seriesId: number, firstMs: number, lastMs: number, bucket: SampleBucket) => {
        // Both are used again.
        if (bucket.type !== "trend")
          return void calls.push([seriesId, firstMs, lastMs, { ...bucket }]);
        const { size, values, counts, ...rest } = bucket.observations;
        const seen = {
          values: [...values.subarray(0, size)],
          counts: [...counts.subarray(0, size)],
        };
        calls.push([seriesId, firstMs, lastMs, { ...seen, ...rest }]);
      },
      sample: () => undefined,
      dropped: () => undefined,
      advanceTo: (ms: number) => void calls.push(ms),
    };
    const startMs = Date.UTC(2026, 0, 1);
    const reader = new MetricSetReader(sink, {
      clock: { nowMs: () => startMs + 60_000, sleep: async () => undefined },
      startMs,
      contentOf: () => Promise.reject(new Error("both are k6's own")),
      onNotice: () => undefined,
    });
    await reader.read(Buffer.from(body, "base64"));
    const tags = { scenario: "default", method: "GET" };
    expect(calls).toEqual([
      ["http_reqs", tags],
      ["http_req_duration", tags],
      [1, startMs, startMs + 2_999, { type: "counter", sum: 3 }],
      [
        2,
        startMs,
        startMs + 2_999,
        {
          values: [12.5, expect.closeTo(12.5), 300.2],
          counts: [1, 1, 1],
          count: 3,
          sum: 325.2,
          min: 12.5,
          max: 300.2,
        },
      ],
      startMs + 3_000,
    ]);
  });

  it("sends a second when it has come, and what comes of it later with the next one", async () => {
    const { points, aggregator, read } = setUp();
    await read(pushed("http_reqs", "counter", { 0: [1, 1] }));
    expect(points.intervals).toEqual([t0 + 1_000]);
    // In any order, and a second that was sent already.
    await read(pushed("http_reqs", "counter", { 2: [1], 0: [1], 1: [1, 1] }));
    expect(points.of("k6_http_reqs_total{}")).toEqual([
      [t0 + 99, 0],
      [t0 + 1_000, 2],
      [t0 + 2_000, 5],
      [t0 + 3_000, 6],
    ]);
    expect(aggregator.counts).toMatchObject({ read: 4, aggregated: 4, late: 1 });
  });

  it("has no point in the future where the run ends in the middle of a second", async () => {
    const { points, aggregator, clock, read } = setUp();
    clock.now = t0 + 400;
    await read(pushed("http_reqs", "counter", { 0: [1] }));
    aggregator.finish();
    expect(points.of("k6_http_reqs_total{}")).toEqual([
      [t0 + 99, 0],
      [t0 + 401, 1],
    ]);
  });

  it("sums up what all types have in one second, and counts the samples where k6 tells their number", async () => {
    const { points, aggregator, read } = setUp();
    await read(
      pushed("http_reqs", "counter", { 0: [1, 1, 1] }),
      pushed("vus", "gauge", { 0: [9, 4] }),
      pushed("checks", "rate", { 0: [1, 0, 1, 1] }, { check: "ok" }),
      pushed("http_req_duration", "trend", { 0: [10, 20, 30, 40, 50] }),
    );
    expect(points.of("k6_vus{}")).toEqual([[t0 + 1_000, 4]]);
    expect(points.of('k6_checks_total{check="ok",condition="nonzero"}').at(-1)?.[1]).toBe(3);
    expect(points.of('k6_checks_total{check="ok",condition="zero"}').at(-1)?.[1]).toBe(1);
    expect(points.of("k6_http_req_duration_seconds{}").at(-1)?.[1]).toBe(5);
    const totals = aggregator.totals().find(({ metric }) => metric.name === "http_req_duration");
    expect(totals?.trend?.sum).toBeCloseTo(0.15, 12);
    expect(aggregator.totals().find(({ metric }) => metric.name === "vus")?.peak).toBe(9);
    expect(aggregator.counts.read).toBe(1 + 2 + 4 + 5);
    await read(pushed("http_req_duration", "trend", { 1: [10, 20] }));
    expect(aggregator.counts.read).toBe(1 + 2 + 4 + 5 + 2);
  });

  it("asks once what a metric of the script contains", async () => {
    const { points, asked, read } = setUp();
    await read(
      pushed("parse_time", "trend", { 0: [5] }),
      pushed("http_reqs", "counter", { 0: [1] }),
    );
    await read(pushed("parse_time", "trend", { 1: [5] }));
    expect(asked).toEqual(["parse_time"]);
    expect(points.of("k6_parse_time_seconds{}").at(-1)?.[1]).toBe(2);
  });

  it("tells series apart whose tags hold anything", async () => {
    const { points, read } = setUp();
    const odd = [{ a: "x 1,1:bc" }, { a: "x", b: "c" }, { a: "x\0b\0c" }];
    await read({
      name: "http_reqs",
      type: "counter",
      series: odd.map((tags) => ({ tags, values: [{ seconds: second, values: [1] }] })),
    });
    const last = points.points.filter(({ timestampMs }) => timestampMs === t0 + 1_000);
    expect(last.map(({ value }) => value)).toEqual([1, 1, 1]);
  });

  it("says once that plain numbers are too small for k6's buckets, and nothing of times", async () => {
    const { notices, read } = setUp();
    const small = [0.01, 0.02, 0.03, 0.04];
    await read(
      pushed("http_req_blocked", "trend", { 0: small }),
      pushed("few", "trend", { 0: [-1] }),
    );
    expect(notices).toEqual([]);
    await read(pushed("ratio", "trend", { 0: small, 1: small }));
    expect(notices).toEqual([expect.stringContaining('"ratio"')]);
    await read(pushed("temperature", "trend", { 1: [-4, -3, 2, 3] }));
    expect(notices).toEqual([expect.anything(), expect.stringContaining('"temperature"')]);
  });

  it("drops what no store can hold, with its number", async () => {
    const { aggregator, read } = setUp();
    await read(
      pushed("cargo", "counter", { 0: [-3] }),
      pushed("depth", "gauge", { 0: [Infinity, 1, 2] }),
      pushed("depth", "gauge", { 1: [1, 2, Infinity] }),
      pushed("draught", "trend", { 0: [1, 2, 4, 8, Infinity] }),
      pushed("draught", "trend", { 1: [Infinity, Infinity] }),
    );
    expect(Object.fromEntries(aggregator.counts.dropped)).toEqual({
      negative_counter: 1,
      not_finite: 1 + 3 + 1 + 2,
    });
    expect(aggregator.counts).toMatchObject({ read: 1 + 3 + 3 + 5 + 2, aggregated: 2 + 4 });
    const totals = new Map(aggregator.totals().map((total) => [total.metric.name, total]));
    expect(totals.get("depth")).toMatchObject({ value: 2, peak: 2 });
    expect(totals.get("draught")?.trend).toMatchObject({ count: 4, min: 1 });
    expect(totals.get("draught")?.trend?.sum).toBeCloseTo(15, 1);
    expect(totals.get("draught")?.trend?.max).toBeCloseTo(8, 1);
  });

  it("drops a second of a counter with an infinite value, as one sample, and says so once", async () => {
    const { aggregator, read, notices } = setUp();
    await read(pushed("cargo", "counter", { 0: [3], 1: [1, Infinity], 2: [Infinity], 3: [4] }));
    expect(Object.fromEntries(aggregator.counts.dropped)).toEqual({ not_finite: 2 });
    expect(aggregator.totals()).toMatchObject([{ value: 7 }]);
    expect(notices).toEqual([
      expect.stringContaining('counter "cargo" was given an infinite value'),
    ]);
  });

  it.each([
    { values: [-7], max: -7, because: "its only value" },
    { values: [-3, -5], max: -5, because: "the last: more is not known" },
    { values: [-3, 0], max: 0, because: "it was zero" },
    { values: [4, -5], max: 4, because: "k6 says so" },
  ])("takes $max for the largest of $values of a gauge: $because", async ({ values, max }) => {
    const { aggregator, read } = setUp();
    await read(pushed("temperature", "gauge", { 0: values }));
    expect(aggregator.totals()).toMatchObject([{ value: values.at(-1), peak: max }]);
  });

  it("knows the largest value of a gauge from k6 before 1.8.0, which has it in the smallest one's place", async () => {
    const { aggregator, read } = setUp();
    const { series, ...metric } = pushed("vus", "gauge", { 0: [9, 4] });
    await read({ ...metric, series, areEndsSwapped: true });
    expect(aggregator.totals()).toMatchObject([{ value: 4, peak: 9 }]);
  });

  it("drops what a push has of a metric that was of another type before, and takes the rest", async () => {
    const { aggregator, read, notices } = setUp();
    await read(pushed("errors", "counter", { 0: [1] }));
    for (const second of [1, 2]) {
      await read(
        pushed("errors", "rate", { [second]: [1, 0, 1] }),
        pushed("http_reqs", "counter", { [second]: [5] }),
      );
    }
    expect(Object.fromEntries(aggregator.counts.dropped)).toEqual({ series_collision: 6 });
    const totals = new Map(aggregator.totals().map(({ metric, value }) => [metric.name, value]));
    expect(totals).toEqual(
      new Map([
        ["errors", 1],
        ["http_reqs", 10],
      ]),
    );
    expect(notices).toEqual([expect.stringContaining('"errors" is a counter')]);
  });

  it("refuses what is not such a message", async () => {
    const { read, aggregator } = setUp();
    await read(pushed("http_reqs", "counter", { 0: [1] }));
    const reader = new MetricSetReader(aggregator, {
      clock: { nowMs: () => t0, sleep: async () => undefined },
      startMs: t0,
      contentOf: async () => "default",
      onNotice: () => undefined,
    });
    await expect(reader.read(Buffer.from("not snappy at all"))).rejects.toThrow();
    const whole = snappy.uncompressSync(
      encodeMetricSet([pushed("http_req_duration", "trend", { 1: [1, 2, 3, 4] }, { name: "x" })]),
      { asBuffer: true },
    ) as Buffer;
    const message = /cut off|out of range|instead of|counts of|index|invalid|illegal/;
    // Run and period are five bytes, and a message of no metric.
    for (let length = 6; length < whole.length; length++) {
      const cut = snappy.compressSync(whole.subarray(0, length));
      await expect(reader.read(cut), `${length}`).rejects.toThrow(message);
    }
  });
});

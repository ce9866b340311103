/**
 * What k6 pushes to its cloud, made from samples: an independent second side for what src/cloud/ reads.
 *
 * Source: the schema and the rules of the histogram are those of k6 `metric.proto` and `internal/ds/histogram/hdr.go`, as
 * their documentation has them; k6 itself is on the other side in test/integration/k6-buckets.test.ts.
 */
import protobuf from "protobufjs";
import snappy from "snappy";

const { root } = protobuf.parse(`
syntax = "proto3";
message Set { string run = 1; uint32 period = 2; repeated Metric metrics = 3; }
message Metric { string name = 1; uint32 type = 2; repeated Series series = 3; }
message Label { string name = 1; string value = 2; }
message Series {
  repeated Label labels = 1; Counters counters = 2; Gauges gauges = 3; Rates rates = 4; Trends trends = 5;
}
message Time { int64 seconds = 1; int32 nanos = 2; }
message Counters { repeated Counter values = 1; }
message Counter { Time time = 1; double value = 2; }
message Gauges { repeated Gauge values = 1; }
message Gauge { Time time = 1; double last = 2; uint32 count = 3; double min = 4; double max = 5; double avg = 6; }
message Rates { repeated Rate values = 1; }
message Rate { Time time = 1; uint32 nonzeros = 2; uint32 total = 3; }
message Trends { repeated Trend values = 1; }
message Span { uint32 offset = 1; uint32 length = 2; }
message Trend {
  Time time = 1; repeated uint32 counters = 2; repeated Span spans = 3; double sum = 5; uint32 count = 6;
  double min = 7; double max = 8; optional uint32 low = 9; optional uint32 high = 10; double resolution = 11;
}`);
const set = root.lookupType("Set");

const types = ["counter", "gauge", "rate", "trend"] as const;

export interface PushedMetric {
  readonly name: string;
  readonly type: (typeof types)[number];
  /** Of a gauge: whether its smallest and largest value are in each other's place, as k6 before 1.8.0 has them. */
  readonly areEndsSwapped?: boolean;
  readonly series: readonly {
    readonly tags: Readonly<Record<string, string>>;
    /** By the second in which they were measured. */
    readonly values: readonly { readonly seconds: number; readonly values: readonly number[] }[];
  }[];
}

/** The body of a push with buckets of a second. */
export function encodeMetricSet(metrics: readonly PushedMetric[]): Buffer {
  const message = {
    run: "1",
    period: 1,
    metrics: metrics.map(({ name, type, series, areEndsSwapped = false }) => ({
      name,
      type: types.indexOf(type) + 1,
      series: series.map(({ tags, values }) => ({
        labels: Object.entries(tags).map(([label, value]) => ({ name: label, value })),
        [`${type}s`]: {
          values: values.map((one) => ({
            time: { seconds: one.seconds },
            ...sumUp(type, one.values, areEndsSwapped),
          })),
        },
      })),
    })),
  };
  return snappy.compressSync(Buffer.from(set.encode(set.fromObject(message)).finish()));
}

function sumUp(
  type: PushedMetric["type"],
  values: readonly number[],
  areEndsSwapped: boolean,
): object {
  const sum = values.reduce((total, value) => total + value, 0);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  switch (type) {
    case "counter":
      return { value: sum };
    case "gauge": {
      // k6's maximum begins at zero (`metrics/sink.go`).
      const ends = [min, Math.max(0, max)];
      if (areEndsSwapped) ends.reverse();
      const avg = sum / values.length;
      return { last: values.at(-1), count: values.length, min: ends[0], max: ends[1], avg };
    }
    case "rate":
      return { nonzeros: values.filter((value) => value !== 0).length, total: values.length };
    case "trend":
      return hdrHistogram(values);
  }
}

/** A trend's values as k6 sums them up. */
export function hdrHistogram(values: readonly number[]): {
  counters: number[];
  spans: { offset: number; length: number }[];
  sum: number;
  count: number;
  min: number;
  max: number;
  low: number;
  high: number;
  resolution: number;
} {
  const buckets = new Map<number, number>();
  for (const value of values.filter((one) => one >= 0 && one < Infinity)) {
    const index = hdrIndex(Math.ceil(value / 0.001));
    buckets.set(index, (buckets.get(index) ?? 0) + 1);
  }
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  let next = 0;
  const spans = sorted.map(([index]) => {
    const span = { offset: index - next, length: 1 };
    next = index + 1;
    return span;
  });
  return {
    counters: sorted.map(([, count]) => count),
    spans,
    sum: values.reduce((total, value) => total + value, 0),
    count: values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    low: values.filter((value) => value < 0).length,
    high: values.filter((value) => value === Infinity).length,
    resolution: 0.001,
  };
}

function hdrIndex(scaled: number): number {
  if (scaled < 256) return scaled;
  const shift = Math.floor(Math.log2(scaled)) - 7;
  return 128 * shift + Math.floor(scaled / 2 ** shift);
}

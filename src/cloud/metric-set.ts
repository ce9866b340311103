/**
 * What k6 sends to its cloud: the samples of each series summed up per time bucket, as protobufjs decodes them.
 *
 * Source: k6 `internal/output/cloud/expv2/pbcloud/metric.proto` (v2.2.0).
 */
import type { TrendHdrValue } from "./hdr-histogram.ts";

interface Time {
  /** The start of the bucket: a whole number of seconds since the epoch. */
  readonly time: { readonly seconds: number };
}
interface Values<Value> {
  readonly values: readonly (Value & Time)[];
}

export interface MetricSet {
  /** The width of a bucket, in seconds. */
  readonly aggregationPeriod: number;
  readonly metrics: readonly CloudMetric[];
}

export interface CloudMetric {
  readonly name: string;
  /** 1 counter, 2 gauge, 3 rate, 4 trend. */
  readonly type: number;
  readonly timeSeries: readonly CloudSeries[];
}

/** One of the samples is set, that of the metric's type; the others are null. */
export interface CloudSeries {
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  readonly counterSamples: Values<{ readonly value: number }> | null;
  readonly gaugeSamples: Values<{
    readonly last: number;
    readonly max: number;
    readonly min: number;
    readonly count: number;
  }> | null;
  readonly rateSamples: Values<{
    readonly nonzeroCount: number;
    readonly totalCount: number;
  }> | null;
  readonly trendHdrSamples: Values<TrendHdrValue> | null;
}

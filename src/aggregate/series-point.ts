/**
 * What aggregation hands to encoding: points of output series.
 *
 * An output series is a Prometheus time series. One k6 series becomes one or more of them (a rate: two
 * counters and a gauge).
 */
import type { NativeHistogram } from "./exponential-histogram.ts";

export interface Label {
  readonly name: string;
  readonly value: string;
}

/** Prometheus' metric types that we send. Source: Prometheus `prompb/types.proto`, MetricMetadata. */
export type FamilyType = "counter" | "gauge" | "histogram";

export interface MetricFamily {
  /** The family's name, e.g. `k6_http_req_duration_seconds` (without `_bucket`, `_sum`, `_count`). */
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  /** A base unit such as `seconds` or `bytes`, or empty. */
  readonly unit: string;
}

export interface OutputSeries {
  /** Dense, from 0, unique within one output. */
  readonly id: number;
  /** Sorted by name in byte order, unique, no empty value, `__name__` among them. */
  readonly labels: readonly Label[];
  readonly family: MetricFamily;
  /** Whether its points are native histograms. */
  readonly isNative: boolean;
}

/** Where points go. Points of one series arrive with strictly increasing timestamps. */
export interface PointSink {
  /** `startTimestampMs` is when a cumulative series was zero; 0 for a gauge. `value` is finite. */
  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void;
  /** The histogram is only valid during the call. */
  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void;
  /** Ends a series: a stale marker. */
  stale(series: OutputSeries, timestampMs: number): void;
  /** What follows goes into another request. */
  requestEnd(): void;
  /** Every point up to `timestampMs` has been handed over. */
  intervalEnd(timestampMs: number): void;
}

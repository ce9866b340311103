/**
 * Where readers and load generators put samples.
 *
 * A sample is one measured value at one moment, in k6's unit (`time`: milliseconds, `data`: bytes). Readers intern each time series on first sight and then speak of it by a small integer, so that a sample
 * in the hot loop is three numbers and no object.
 */
import type { Metric } from "./metric.ts";

/** Tag name to value. An empty value means the tag is absent, as in Prometheus. */
export type Tags = ReadonlyMap<string, string>;

/**
 * Samples in columns: a double in a typed array is no object, where one that is handed to a function becomes one
 * unless the engine inlines the call.
 */
export interface SampleBlock {
  readonly seriesIds: Int32Array;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
}

export function createSampleBlock(length: number): SampleBlock {
  return {
    seriesIds: new Int32Array(length),
    timestampsMs: new Float64Array(length),
    values: new Float64Array(length),
  };
}

/** What reads samples hands them to one of these. Calls for one sink are never concurrent. */
export interface SampleSink {
  /** Interns a time series. Called once per distinct spelling of a series, off the hot path. */
  series(metric: Metric, tags: Tags): number;
  /**
   * One sample of a series that `series` returned. `timestampMs` is Unix time, an integer: remote write has no
   * finer resolution. `value` may be any double, also NaN.
   */
  sample(seriesId: number, timestampMs: number, value: number): void;
  /** The same for the first `count` samples of a block, in order; for sinks that gain by it. The block is used again. */
  sampleBlock?(block: SampleBlock, count: number): void;
  /** Samples that were read but cannot be used, e.g. a malformed line. Default: one. */
  dropped(reason: DropReason, samples?: number): void;
}

/** Why a sample that was read is not aggregated. Each is counted; docs/metrics.md has a row for each. */
export const dropReasons = [
  "malformed_line",
  "unknown_metric",
  "not_finite",
  "negative_counter",
  "timestamp_out_of_range",
  "series_collision",
  "too_many_metrics",
  "relabelled_away",
] as const;
export type DropReason = (typeof dropReasons)[number];

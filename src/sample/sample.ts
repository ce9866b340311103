/**
 * A sample, and where the readers put samples.
 *
 * Readers intern each time series on first sight and then speak of it by a small integer, so that a sample
 * in the hot loop is three numbers and no object.
 */
import type { Metric } from "./metric.ts";

/** Tag name to value. An empty value means the tag is absent, as in Prometheus. */
export type Tags = ReadonlyMap<string, string>;

/** One measurement at one moment, as an object: for callers outside the hot loop. */
export interface Sample {
  readonly metric: Metric;
  readonly tags: Tags;
  /** Unix time in milliseconds, an integer; remote write has no finer resolution. */
  readonly timestampMs: number;
  /** In k6's unit (`time`: milliseconds, `data`: bytes). */
  readonly value: number;
}

/** What reads samples hands them to one of these. Calls for one sink are never concurrent. */
export interface SampleSink {
  /** Interns a time series. Called once per distinct spelling of a series, off the hot path. */
  series(metric: Metric, tags: Tags): number;
  /** One sample of a series that `series` returned. `value` may be any double, also NaN. */
  sample(seriesId: number, timestampMs: number, value: number): void;
  /** A sample that was read but cannot be used, e.g. a malformed line. */
  dropped(reason: DropReason): void;
}

/** Why a sample that was read is not aggregated. Each is counted; docs/metrics.md has a row for each. */
export const dropReasons = [
  "malformed_line",
  "unknown_metric",
  "not_finite",
  "negative_counter",
  "timestamp_out_of_range",
  "series_collision",
  "relabelled_away",
] as const;
export type DropReason = (typeof dropReasons)[number];

/**
 * What a generator has summed up of one series and a short time, where it hands over no single samples.
 */
import type { SampleSink } from "./sample.ts";

/** Values are in the metric's unit, as those of samples are. */
export type SampleBucket =
  /** How many samples made the sum is not known. */
  | { readonly type: "counter"; readonly sum: number }
  | {
      readonly type: "gauge";
      readonly last: number;
      /** -Infinity where it is not known. */
      readonly max: number;
      readonly count: number;
    }
  | { readonly type: "rate"; readonly nonzeros: number; readonly zeros: number }
  | { readonly type: "trend"; readonly observations: Observations };

/** Observations of a trend, those that are alike together. */
export interface Observations {
  /** How many of `values` and `counts` there are; behind them may be others. */
  readonly size: number;
  /** As near to the observations as they are known; infinite where these are. */
  readonly values: Float64Array;
  /** How often each of `values` was observed. */
  readonly counts: Float64Array;
  /** Of all observations together. */
  readonly count: number;
  /** Like the next two of all finite observations themselves, not of `values`. */
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Takes samples one by one and summed up. */
export interface BucketSink extends SampleSink {
  /**
   * What was measured from `startMs` to `lastMs`, Unix milliseconds, both of them part of it. Intervals that end before
   * are closed first, so buckets come in the order of their times; one of a closed interval is late.
   * The bucket is used again.
   */
  bucket(seriesId: number, startMs: number, lastMs: number, bucket: SampleBucket): void;
  /** Says that nothing older than this is expected. */
  advanceTo(timestampMs: number): void;
}

/** How many samples a bucket stands for; a counter's, of which nobody knows, for one. */
export function samplesOf(bucket: SampleBucket): number {
  switch (bucket.type) {
    case "counter":
      return 1;
    case "gauge":
      return bucket.count;
    case "rate":
      return bucket.nonzeros + bucket.zeros;
    case "trend":
      return bucket.observations.count;
  }
}

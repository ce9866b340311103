/**
 * Classic histogram buckets, for stores that take no native histograms.
 *
 * The bounds are fixed for ever: a series whose bounds changed could not be compared with last year's. Times go
 * from 1 ms to 1 min in steps of at most 1.5 around the usual objectives, so a quantile is known to about a
 * fifth; everything else gets 1-2-5 steps over twelve decades.
 */
import type { ValueKind } from "../sample/metric.ts";

const secondsBounds = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25,
  0.3, 0.4, 0.5, 0.6, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60,
];

const plainBounds = Array.from({ length: 12 }, (_, decade) =>
  [1, 2, 5].map((step) => Number(`${step}e${decade - 3}`)),
).flat();

/** Inclusive upper bounds in the unit of the series, ascending, without +Inf. */
export function classicBounds(contains: ValueKind): readonly number[] {
  return contains === "time" ? secondsBounds : plainBounds;
}

/** Counts per bucket, not cumulative; the last one is above every bound. */
export class ClassicBuckets {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number, count: number = 1): void {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bounds[middle] ?? Infinity) < value) low = middle + 1;
      else high = middle;
    }
    this.counts[low] = (this.counts[low] ?? 0) + count;
  }
}

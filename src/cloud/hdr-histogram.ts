/**
 * The histogram in which k6 sums up a trend for its cloud, turned into observations.
 *
 * A value is kept as u = ceil(value / resolution). Up to 255 each u has a bucket of its own; above, each octave has 128:
 *
 *     index i < 256   u = i                                 values ((i - 1) r, i r]; of 0, exactly 0
 *     index i >= 256  u = m 2^n .. (m + 1) 2^n - 1          with n = floor(i / 128) - 1 and m = i - 128 n
 *
 * So an observation is known to within half of 0.8 % of it, or half a resolution, which is 0.001: a microsecond, where
 * the trend is a time. Count, sum, minimum and maximum are exact, and with them up to three observations.
 *
 * Source: k6 `internal/ds/histogram/hdr.go`, `output/cloud/expv2/hdr.go`, `pbcloud/metric.proto`.
 */
import type { Observations } from "../sample/sample-bucket.ts";

/** As protobufjs decodes it; field 4 is unused, and the resolution is never zero. */
export interface TrendHdrValue {
  readonly counters: readonly number[];
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
  readonly sum: number;
  readonly count: number;
  readonly minValue: number;
  readonly maxValue: number;
  /** Observations below zero, which are in no bucket. */
  readonly extraLowValuesCounter: number;
  /** Observations of more than 2^63 - 1 resolutions. */
  readonly extraHighValuesCounter: number;
  readonly minResolution: number;
}

export function toObservations(histogram: TrendHdrValue): Observations {
  const { sum, minValue: min, maxValue: max } = histogram;
  const exact = exactValues(histogram);
  if (exact !== undefined) return { values: exact, counts: exact.map(() => 1), sum, min, max };
  const values: number[] = [];
  const counts: number[] = [];
  const add = (value: number, times: number): void => {
    if (times <= 0) return;
    values.push(Math.min(max, Math.max(min, value)));
    counts.push(times);
  };
  const { extraLowValuesCounter: low, extraHighValuesCounter: high } = histogram;
  let rest = sum - max * high;
  const buckets = [...bucketsOf(histogram)];
  for (const [value, times] of buckets) rest -= value * times;
  if (low > 0) {
    add(min, 1);
    // What the sum leaves for the others, of which only their number is known.
    add(low > 1 ? Math.min(0, (rest - min) / (low - 1)) : 0, low - 1);
  }
  for (const [at, [value, times]] of buckets.entries()) {
    const isLowest = at === 0 && low === 0;
    const isHighest = at === buckets.length - 1 && high === 0;
    if (isLowest) add(min, 1);
    if (isHighest) add(max, 1);
    add(value, times - (isLowest ? 1 : 0) - (isHighest ? 1 : 0));
  }
  add(max, high);
  return { values, counts, sum, min, max };
}

/** Up to three observations follow from their sum and the smallest and the largest of them. */
function exactValues({ count, sum, minValue, maxValue }: TrendHdrValue): number[] | undefined {
  if (count === 1) return [minValue];
  if (count === 2) return [minValue, maxValue];
  if (count !== 3) return undefined;
  const middle = sum - minValue - maxValue;
  return [minValue, Math.min(maxValue, Math.max(minValue, middle)), maxValue];
}

/** The middle of each bucket and its count, in ascending order. */
function* bucketsOf(histogram: TrendHdrValue): Generator<readonly [value: number, count: number]> {
  const { counters, spans, minResolution } = histogram;
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) yield [middleOf(index++, minResolution), counters[at++] ?? 0];
  }
}

function middleOf(index: number, resolution: number): number {
  if (index === 0) return 0;
  if (index < 256) return (index - 0.5) * resolution;
  const octave = Math.floor(index / 128) - 1;
  const step = index - 128 * octave;
  return ((step + 0.5) * 2 ** octave - 1) * resolution;
}

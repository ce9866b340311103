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

/** Up to 2^63 resolutions, and one of zero. */
const bucketLimit = 7_297;
/** The middle of each bucket, in resolutions. */
const middles = Float64Array.from({ length: bucketLimit }, (_, index) => middleOf(index));

/** Beside its buckets. Fields are as in `TrendHdrValue`. */
export interface HdrTotals {
  readonly sum: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Observations below zero, which are in no bucket. */
  readonly low: number;
  /** Observations of more than 2^63 - 1 resolutions. */
  readonly high: number;
  /** Never zero. */
  readonly resolution: number;
}

/** One for all: it is cleared and filled again for each value of a push. */
export class HdrHistogram {
  readonly #indexes = new Uint16Array(bucketLimit);
  readonly #counts = new Float64Array(bucketLimit);
  #indexCount = 0;
  #countCount = 0;
  #nextIndex = 0;
  readonly #observations = new ObservationList();

  clear(): void {
    this.#indexCount = 0;
    this.#countCount = 0;
    this.#nextIndex = 0;
  }

  /** How often the next bucket of those in spans was hit. */
  addCount(count: number): void {
    this.#counts[this.#countCount++] = count;
  }

  /** So many buckets in a row, so far behind the last one. @throws RangeError where k6 has none */
  addSpan(offset: number, length: number): void {
    const start = this.#nextIndex + offset;
    this.#nextIndex = start + length;
    if (this.#nextIndex > bucketLimit)
      throw new RangeError(`a histogram has a bucket beyond ${bucketLimit - 1}`);
    for (let index = start; index < this.#nextIndex; index++) {
      this.#indexes[this.#indexCount++] = index;
    }
  }

  /** Valid until the next one. @throws Error if the parts of the histogram do not belong to each other */
  toObservations(totals: HdrTotals): Observations {
    this.#check(totals);
    const finite = isFinite(totals.min) && isFinite(totals.max) ? totals : this.#finitePart(totals);
    const list = this.#toList(finite);
    list.addInfinite(totals.count - finite.count);
    return list;
  }

  #check({ count, min, max, low, high, resolution }: HdrTotals): void {
    const size = this.#indexCount;
    if (size !== this.#countCount) {
      throw new Error(`a histogram has ${this.#countCount} counts of ${size} buckets`);
    }
    let counted = low + high;
    for (let at = 0; at < size; at++) counted += this.#counts[at] ?? 0;
    if (counted !== count || count === 0) {
      throw new Error(`a histogram of ${counted} observations has a count of ${count}`);
    }
    if (!(min <= max)) throw new Error(`a histogram reaches from ${min} to ${max}`);
    if (!(resolution > 0 && resolution < Infinity)) {
      throw new Error(`a histogram has a resolution of ${resolution}`);
    }
  }

  /**
   * Beside an infinite observation the sum says nothing, and of those outside of all buckets at its end nobody knows which
   * are finite: what is left are the buckets, and what their middles say.
   */
  #finitePart({ min, max, low, high, resolution }: HdrTotals): HdrTotals {
    const size = this.#indexCount;
    const middle = (at: number): number => (middles[this.#indexes[at] ?? 0] ?? 0) * resolution;
    const finiteLow = isFinite(min) ? low : 0;
    const finiteHigh = isFinite(max) ? high : 0;
    let count = finiteLow + finiteHigh;
    for (let at = 0; at < size; at++) count += this.#counts[at] ?? 0;
    if (count === 0) return { sum: 0, count, min: 0, max: 0, low: 0, high: 0, resolution };
    const largest = isFinite(max) ? max : size > 0 ? middle(size - 1) : 0;
    const smallest = isFinite(min) ? min : size > 0 ? middle(0) : largest;
    // Of those below zero but the smallest only the number is known: halfway.
    const lowSum = finiteLow > 0 ? smallest + ((finiteLow - 1) * smallest) / 2 : 0;
    const sum = lowSum + this.#bucketSum(resolution) + (finiteHigh > 0 ? finiteHigh * largest : 0);
    const ends = { min: smallest, max: Math.max(smallest, largest) };
    return { sum, count, ...ends, low: finiteLow, high: finiteHigh, resolution };
  }

  #toList({ sum, count, min, max, low, high, resolution }: HdrTotals): ObservationList {
    const size = this.#indexCount;
    const list = this.#observations.begin(sum, min, max);
    if (count <= 3) return list.addExact(count);
    if (low > 0) {
      list.add(min, 1);
      // What the sum leaves for the others, of which only their number is known.
      const rest = sum - max * high - this.#bucketSum(resolution);
      list.add(low > 1 ? Math.min(0, (rest - min) / (low - 1)) : 0, low - 1);
    }
    for (let at = 0; at < size; at++) {
      const isLowest = at === 0 && low === 0;
      const isHighest = at === size - 1 && high === 0;
      if (isLowest) list.add(min, 1);
      if (isHighest) list.add(max, 1);
      const value = (middles[this.#indexes[at] ?? 0] ?? 0) * resolution;
      list.add(value, (this.#counts[at] ?? 0) - (isLowest ? 1 : 0) - (isHighest ? 1 : 0));
    }
    list.add(max, high);
    return list;
  }

  #bucketSum(resolution: number): number {
    let sum = 0;
    for (let at = 0; at < this.#indexCount; at++) {
      sum += (middles[this.#indexes[at] ?? 0] ?? 0) * resolution * (this.#counts[at] ?? 0);
    }
    return sum;
  }
}

class ObservationList implements Observations {
  size = 0;
  /** The buckets, the smallest, the largest, those outside of all buckets, and those that are infinite. */
  readonly values: Float64Array = new Float64Array(bucketLimit + 5);
  readonly counts: Float64Array = new Float64Array(bucketLimit + 5);
  count = 0;
  sum = 0;
  min = 0;
  max = 0;

  begin(sum: number, min: number, max: number): this {
    this.size = 0;
    this.count = 0;
    this.sum = sum;
    this.min = min;
    this.max = max;
    return this;
  }

  add(value: number, times: number): void {
    if (times <= 0) return;
    this.values[this.size] = Math.min(this.max, Math.max(this.min, value));
    this.counts[this.size++] = times;
    this.count += times;
  }

  addInfinite(times: number): void {
    if (times <= 0) return;
    this.values[this.size] = Infinity;
    this.counts[this.size++] = times;
    this.count += times;
  }

  /** Up to three observations follow from their sum and the smallest and the largest of them. */
  addExact(count: number): this {
    if (count > 0) this.add(this.min, 1);
    if (count > 2) this.add(this.sum - this.min - this.max, 1);
    if (count > 1) this.add(this.max, 1);
    return this;
  }
}

function middleOf(index: number): number {
  if (index === 0) return 0;
  if (index < 256) return index - 0.5;
  const octave = Math.floor(index / 128) - 1;
  const step = index - 128 * octave;
  return (step + 0.5) * 2 ** octave - 1;
}

/**
 * A native (exponential) histogram that grows with its distinct buckets, never with its observations.
 *
 * Bucket i of schema n holds (b^(i-1), b^i] with b = 2^(2^-n); the zero bucket holds |v| <= 2^-128; negative
 * values have buckets of their own.
 *
 * Source: Prometheus `docs/specs/native_histograms.md`; `prometheus/histogram.go` of client_golang.
 */
import type { Observations } from "../sample/sample-bucket.ts";
import { BucketCounts, type Buckets, SortedBuckets } from "./bucket-counts.ts";

/**
 * 2^(1/128) = 1.0054: every value in a bucket is within 0.55 % of every other, so a quantile is within 1 % of
 * the exact one wherever a reader places it in the bucket. Schema 6 (1.09 %) would not hold that.
 */
export const trendSchema = 7;

/** 2^-128, as in k6's output and the Go client: true zeros, for a load test. */
export const zeroThreshold: number = 2 ** -128;

const bucketsPerOctave = 1 << trendSchema;
/** The upper bounds, in [1, 2), of the buckets of one octave; bucket 0 of the octave ends at 1. */
const octaveBounds = Float64Array.from(
  { length: bucketsPerOctave },
  (_, bucket) => 2 ** (bucket / bucketsPerOctave),
);
/** For each 1/256 of an octave the first bucket that can hold its values: at most one step too low. */
const firstBucket = Uint8Array.from({ length: 256 }, (_, slot) => {
  const start = 1 + slot / 256;
  const bucket = octaveBounds.findIndex((bound) => bound >= start);
  return bucket < 0 ? bucketsPerOctave : bucket;
});

const single = new Float64Array(1);
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const highWord = isLittleEndian ? 1 : 0;

/** The bucket that holds `value`, which is finite and greater than `zeroThreshold`. */
export function bucketIndex(value: number): number {
  float[0] = value;
  return bucketOfFloat();
}

/** The bucket of what is in `float`. Without an argument, because a double as one may cost an object. */
function bucketOfFloat(): number {
  const high = words[highWord] ?? 0;
  const exponent = (high >>> 20) - 1023;
  // The same mantissa with the exponent of 1.
  words[highWord] = (high & 0xfffff) | 0x3ff00000;
  const mantissa = float[0] ?? 1;
  let bucket = firstBucket[(high >>> 12) & 0xff] ?? 0;
  while (bucket < bucketsPerOctave && (octaveBounds[bucket] ?? Infinity) < mantissa) bucket++;
  return exponent * bucketsPerOctave + bucket;
}

/** The inclusive upper bound of a positive bucket. */
export function upperBound(index: number): number {
  return 2 ** (index / bucketsPerOctave);
}

/** A histogram as the encoder reads it. */
export interface NativeHistogram {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
}

const noBuckets: Buckets = { size: 0, indexes: new Int32Array(), counts: new Float64Array() };
const sortedPositive = new SortedBuckets();
const sortedNegative = new SortedBuckets();

export class ExponentialHistogram implements NativeHistogram {
  count = 0;
  sum = 0;
  zeroCount = 0;
  /** The smallest and the largest observation; infinite while there is none. */
  min: number = Infinity;
  max: number = -Infinity;
  readonly #positive = new BucketCounts();
  /** Made when it is needed: times have none. */
  #negative: BucketCounts | undefined;

  get schema(): number {
    return trendSchema;
  }

  get zeroThreshold(): number {
    return zeroThreshold;
  }

  /** In ascending order of their distance from zero; valid until they are asked of any histogram again. */
  get positive(): Buckets {
    return this.#positive.sorted(sortedPositive);
  }

  get negative(): Buckets {
    return this.#negative?.sorted(sortedNegative) ?? noBuckets;
  }

  /** Counts one observation. `value` is finite. */
  observe(value: number): void {
    single[0] = value;
    this.observeAt(single, 0, 1);
  }

  /** Counts `values[at] / divisor`, which is finite; false, and nothing is counted, if the sum would not be. */
  observeAt(values: Float64Array, at: number, divisor: number): boolean {
    const value = (values[at] ?? 0) / divisor;
    const sum = this.sum + value;
    if (sum - sum !== 0) return false;
    this.sum = sum;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    float[0] = value;
    this.#placeFloat(1);
    return true;
  }

  /** Counts the finite observations, of which values, sum, minimum and maximum are `divisor` times those to count. */
  observeAll({ size, values, counts, sum, min, max }: Observations, divisor: number): void {
    for (let at = 0; at < size; at++) {
      if (!isFinite(values[at] ?? 0)) continue;
      float[0] = (values[at] ?? 0) / divisor;
      this.#placeFloat(counts[at] ?? 0);
    }
    this.sum += sum / divisor;
    this.min = Math.min(this.min, min / divisor);
    this.max = Math.max(this.max, max / divisor);
  }

  /** Adds all that another histogram counted. */
  merge(other: ExponentialHistogram): void {
    this.count += other.count;
    this.sum += other.sum;
    this.zeroCount += other.zeroCount;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    addAll(this.#positive, other.positive);
    if (other.#negative) addAll(this.#negatives(), other.negative);
  }

  /**
   * The quantile as k6 defines it (linear between the two observations around rank q * (count - 1)), with each
   * observation known to within its bucket. 0 while there are no observations, as in k6.
   *
   * Source: k6 `metrics/sink.go`, TrendSink.P.
   */
  quantile(q: number): number {
    if (this.count === 0) return 0;
    const rank = q * (this.count - 1);
    const below = Math.floor(rank);
    const { negative, positive } = this;
    const lower = this.#observation(below, negative, positive);
    const share = rank - below;
    if (share === 0) return lower;
    // Not lower + (upper - lower) * share, whose difference may be infinite.
    return lower * (1 - share) + this.#observation(below + 1, negative, positive) * share;
  }

  /** Counts what is in `float`. */
  #placeFloat(count: number): void {
    const value = float[0] ?? 0;
    this.count += count;
    if (value > zeroThreshold) {
      this.#positive.add(bucketOfFloat(), count);
    } else if (value < -zeroThreshold) {
      float[0] = -value;
      this.#negatives().add(bucketOfFloat(), count);
    } else {
      this.zeroCount += count;
    }
  }

  #negatives(): BucketCounts {
    this.#negative ??= new BucketCounts();
    return this.#negative;
  }

  /** The observation of a rank, from 0, as if those of a bucket were spread evenly on its logarithmic axis. */
  #observation(rank: number, negative: Buckets, positive: Buckets): number {
    if (rank <= 0) return this.min;
    if (rank >= this.count - 1) return this.max;
    let seen = 0;
    for (let i = negative.size - 1; i >= 0; i--) {
      const count = negative.counts[i] ?? 0;
      if (rank < seen + count) {
        const position = 1 - (rank - seen + 0.5) / count;
        return this.#clamp(-upperBound((negative.indexes[i] ?? 0) - 1 + position));
      }
      seen += count;
    }
    if (rank < seen + this.zeroCount) return 0;
    seen += this.zeroCount;
    for (let i = 0; i < positive.size; i++) {
      const count = positive.counts[i] ?? 0;
      if (rank < seen + count) {
        const position = (rank - seen + 0.5) / count;
        return this.#clamp(upperBound((positive.indexes[i] ?? 0) - 1 + position));
      }
      seen += count;
    }
    return this.max;
  }

  #clamp(value: number): number {
    return Math.min(this.max, Math.max(this.min, value));
  }
}

function addAll(target: BucketCounts, source: Buckets): void {
  for (let i = 0; i < source.size; i++) target.add(source.indexes[i] ?? 0, source.counts[i] ?? 0);
}

/**
 * A native (exponential) histogram that grows with its distinct buckets, never with its observations.
 *
 * Bucket i of schema n holds (b^(i-1), b^i] with b = 2^(2^-n); the zero bucket holds |v| <= 2^-128; negative
 * values have buckets of their own.
 *
 * Source: Prometheus `docs/specs/native_histograms.md`; `prometheus/histogram.go` of client_golang.
 */
import type { Observations } from "../sample/sample-bucket.ts";

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

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const highWord = isLittleEndian ? 1 : 0;

/** The bucket that holds `value`, which is finite and greater than `zeroThreshold`. */
export function bucketIndex(value: number): number {
  float[0] = value;
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

/** Buckets of one sign: sorted indexes and their counts, `size` of each. */
export interface Buckets {
  readonly size: number;
  readonly indexes: Int32Array;
  readonly counts: Float64Array;
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

/** Up to here a search among the indexes is as fast as a table of them, and much smaller. */
const longestSearch = 16;

/**
 * Buckets of one sign. Few are kept sorted; with more, a table from index to place makes an observation one
 * look-up, at two bytes per index in the observed range.
 */
class SparseBuckets {
  size = 0;
  #indexes: Int32Array = new Int32Array(4);
  #counts: Float64Array = new Float64Array(4);
  /** For index `#base + i` the place of its count plus one, or 0; empty while there are few. */
  #places: Uint16Array | Uint32Array = new Uint16Array();
  #base = 0;

  add(index: number, count: number): void {
    const place = this.#placeOf(index);
    this.#counts[place] = (this.#counts[place] ?? 0) + count;
  }

  /** The buckets in ascending order. Valid until the next call for any histogram's buckets of this sign. */
  sorted(into: SortedBuckets): Buckets {
    if (this.#places.length === 0) {
      return { size: this.size, indexes: this.#indexes, counts: this.#counts };
    }
    into.reserve(this.size);
    let size = 0;
    for (let i = 0; i < this.#places.length; i++) {
      const place = this.#places[i] ?? 0;
      if (place === 0) continue;
      into.indexes[size] = this.#base + i;
      into.counts[size] = this.#counts[place - 1] ?? 0;
      size++;
    }
    return { size, indexes: into.indexes, counts: into.counts };
  }

  #placeOf(index: number): number {
    if (this.#places.length === 0) {
      if (this.size < longestSearch) return this.#search(index);
      this.#makeTable();
    }
    const offset = index - this.#base;
    if (offset < 0 || offset >= this.#places.length) this.#widen(index);
    const known = this.#places[index - this.#base] ?? 0;
    if (known > 0) return known - 1;
    if (this.size === this.#counts.length) this.#counts = grown(this.#counts);
    if (this.size === 0xffff) this.#places = Uint32Array.from(this.#places);
    this.#places[index - this.#base] = ++this.size;
    return this.size - 1;
  }

  #search(index: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#indexes[middle] ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    if (low < this.size && this.#indexes[low] === index) return low;
    if (this.size === this.#counts.length) {
      this.#counts = grown(this.#counts);
      const indexes = new Int32Array(this.#counts.length);
      indexes.set(this.#indexes);
      this.#indexes = indexes;
    }
    this.#indexes.copyWithin(low + 1, low, this.size);
    this.#counts.copyWithin(low + 1, low, this.size);
    this.#indexes[low] = index;
    this.#counts[low] = 0;
    this.size++;
    return low;
  }

  #makeTable(): void {
    this.#base = this.#indexes[0] ?? 0;
    this.#places = new Uint16Array((this.#indexes[this.size - 1] ?? 0) - this.#base + 1);
    for (let i = 0; i < this.size; i++) this.#places[(this.#indexes[i] ?? 0) - this.#base] = i + 1;
    this.#indexes = new Int32Array();
  }

  /** Makes room for an index, and for a quarter of an octave around it. */
  #widen(index: number): void {
    const margin = bucketsPerOctave / 4;
    const base = Math.min(this.#base, index - margin);
    const end = Math.max(this.#base + this.#places.length, index + margin);
    const places = this.size < 0xffff ? new Uint16Array(end - base) : new Uint32Array(end - base);
    places.set(this.#places, this.#base - base);
    this.#places = places;
    this.#base = base;
  }
}

/** Where buckets are put in order. */
class SortedBuckets {
  indexes: Int32Array = new Int32Array(256);
  counts: Float64Array = new Float64Array(256);

  reserve(size: number): void {
    if (size <= this.counts.length) return;
    this.indexes = new Int32Array(size * 2);
    this.counts = new Float64Array(size * 2);
  }
}

const noBuckets: Buckets = { size: 0, indexes: new Int32Array(), counts: new Float64Array() };
const sortedPositive = new SortedBuckets();
const sortedNegative = new SortedBuckets();

function grown(counts: Float64Array): Float64Array {
  const larger = new Float64Array(counts.length * 2);
  larger.set(counts);
  return larger;
}

export class ExponentialHistogram implements NativeHistogram {
  readonly schema: number = trendSchema;
  readonly zeroThreshold: number = zeroThreshold;
  count = 0;
  sum = 0;
  zeroCount = 0;
  /** The smallest and the largest observation; infinite while there is none. */
  min: number = Infinity;
  max: number = -Infinity;
  readonly #positive = new SparseBuckets();
  /** Made when it is needed: times have none. */
  #negative: SparseBuckets | undefined;

  /** In ascending order of their distance from zero; valid until they are asked of any histogram again. */
  get positive(): Buckets {
    return this.#positive.sorted(sortedPositive);
  }

  get negative(): Buckets {
    return this.#negative?.sorted(sortedNegative) ?? noBuckets;
  }

  /** Counts one observation. `value` is finite. */
  observe(value: number): void {
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#place(value, 1);
  }

  /** Counts observations whose values, sum, minimum and maximum are `divisor` times those to count. */
  observeAll({ values, counts, sum, min, max }: Observations, divisor: number): void {
    for (const [at, value] of values.entries()) this.#place(value / divisor, counts[at] ?? 0);
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
    const lower = this.#observation(below);
    const share = rank - below;
    // Not lower + (upper - lower) * share, whose difference may be infinite.
    return share === 0 ? lower : lower * (1 - share) + this.#observation(below + 1) * share;
  }

  #place(value: number, count: number): void {
    this.count += count;
    if (value > zeroThreshold) this.#positive.add(bucketIndex(value), count);
    else if (value < -zeroThreshold) this.#negatives().add(bucketIndex(-value), count);
    else this.zeroCount += count;
  }

  #negatives(): SparseBuckets {
    this.#negative ??= new SparseBuckets();
    return this.#negative;
  }

  /** The observation of a rank, from 0, as if those of a bucket were spread evenly on its logarithmic axis. */
  #observation(rank: number): number {
    if (rank <= 0) return this.min;
    if (rank >= this.count - 1) return this.max;
    let seen = 0;
    const { negative, positive } = this;
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

function addAll(target: SparseBuckets, source: Buckets): void {
  for (let i = 0; i < source.size; i++) target.add(source.indexes[i] ?? 0, source.counts[i] ?? 0);
}

/**
 * Buckets that wait for their time, as numbers end to end: as objects, they would be most of what a server's collector has
 * to do.
 *
 * In:  buckets, which are copied. Out: the same by the time in which they begin; of one time, in the order in which they came.
 *
 * A bucket, in doubles:
 *
 *     how many it takes    series id    startMs    lastMs    type
 *     0 counter   sum
 *     1 gauge     last    max    count
 *     2 rate      nonzeros    zeros
 *     3 trend     count    sum    min    max    { value    how often } …
 */
import type { SampleBucket } from "../../sample/sample-bucket.ts";

/** The bucket is valid during the call. */
export type TakeBucket = (
  seriesId: number,
  startMs: number,
  lastMs: number,
  bucket: SampleBucket,
) => void;

const types = ["counter", "gauge", "rate", "trend"] as const;
const startMsAt = 2;
const headLength = 5;
/** Of a trend without observations, behind the head. */
const trendLength = 4;
const smallestCapacity = 1 << 10;

/** Observations that are handed over: for all, because that is done in one go. */
let values: Float64Array = new Float64Array(64);
let counts: Float64Array = new Float64Array(64);

export class WaitingBuckets {
  #numbers: Float64Array = new Float64Array(smallestCapacity);
  #length = 0;
  /** About the most of late. */
  #longest = 0;
  #oldestMs = Infinity;

  get bytes(): number {
    return this.#length * Float64Array.BYTES_PER_ELEMENT;
  }

  /** What it takes, with room for others. */
  get capacityBytes(): number {
    return this.#numbers.byteLength;
  }

  push(seriesId: number, startMs: number, lastMs: number, bucket: SampleBucket): void {
    const own = lengthOf(bucket);
    const at = this.#length;
    this.#reserve(headLength + own);
    const numbers = this.#numbers;
    numbers[at] = headLength + own;
    numbers[at + 1] = seriesId;
    numbers[at + startMsAt] = startMs;
    numbers[at + 3] = lastMs;
    numbers[at + 4] = types.indexOf(bucket.type);
    write(bucket, numbers, at + headLength);
    this.#length = at + headLength + own;
    if (this.#length > this.#longest) this.#longest = this.#length;
    if (startMs < this.#oldestMs) this.#oldestMs = startMs;
  }

  /** Removes those that begin before a time, and hands each over to `take`, which must not push others. */
  takeBefore(timestampMs: number, take: TakeBucket): void {
    if (this.#oldestMs >= timestampMs) return;
    const numbers = this.#numbers;
    const ready: number[] = [];
    for (let at = 0; at < this.#length; at += numbers[at] ?? 0) {
      if ((numbers[at + startMsAt] ?? 0) < timestampMs) ready.push(at);
    }
    // Stable; most often all are of one time.
    ready.sort((a, b) => (numbers[a + startMsAt] ?? 0) - (numbers[b + startMsAt] ?? 0));
    for (const at of ready) {
      const seriesId = numbers[at + 1] ?? 0;
      take(seriesId, numbers[at + startMsAt] ?? 0, numbers[at + 3] ?? 0, read(numbers, at));
    }
    this.#keepFrom(timestampMs);
  }

  #keepFrom(timestampMs: number): void {
    const numbers = this.#numbers;
    let kept = 0;
    let oldestMs = Infinity;
    for (let at = 0, length = 0; at < this.#length; at += length) {
      length = numbers[at] ?? 0;
      const startMs = numbers[at + startMsAt] ?? 0;
      if (startMs < timestampMs) continue;
      numbers.copyWithin(kept, at, at + length);
      kept += length;
      if (startMs < oldestMs) oldestMs = startMs;
    }
    this.#length = kept;
    this.#oldestMs = oldestMs;
    // The room that a burst took is given back in steps.
    if (numbers.length >= smallestCapacity * 2 && this.#longest * 8 < numbers.length) {
      this.#numbers = numbers.slice(0, numbers.length / 2);
    }
    this.#longest = Math.max(kept, this.#longest / 2);
  }

  #reserve(count: number): void {
    const length = this.#length + count;
    if (length <= this.#numbers.length) return;
    const larger = new Float64Array(Math.max(this.#numbers.length * 2, length));
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}

function lengthOf(bucket: SampleBucket): number {
  switch (bucket.type) {
    case "counter":
      return 1;
    case "gauge":
      return 3;
    case "rate":
      return 2;
    case "trend":
      return trendLength + bucket.observations.size * 2;
  }
}

function write(bucket: SampleBucket, into: Float64Array, at: number): void {
  switch (bucket.type) {
    case "counter":
      into[at] = bucket.sum;
      return;
    case "gauge":
      into[at] = bucket.last;
      into[at + 1] = bucket.max;
      into[at + 2] = bucket.count;
      return;
    case "rate":
      into[at] = bucket.nonzeros;
      into[at + 1] = bucket.zeros;
      return;
    case "trend": {
      const { observations } = bucket;
      into[at] = observations.count;
      into[at + 1] = observations.sum;
      into[at + 2] = observations.min;
      into[at + 3] = observations.max;
      for (let i = 0, to = at + trendLength; i < observations.size; i++, to += 2) {
        into[to] = observations.values[i] ?? 0;
        into[to + 1] = observations.counts[i] ?? 0;
      }
    }
  }
}

/** The bucket whose head is at a place. */
function read(from: Float64Array, head: number): SampleBucket {
  const at = head + headLength;
  const [a = 0, b = 0, c = 0, d = 0] = from.subarray(at, at + trendLength);
  // `push` wrote it.
  const type = types[from[head + 4] ?? 0]!;
  switch (type) {
    case "counter":
      return { type, sum: a };
    case "gauge":
      return { type, last: a, max: b, count: c };
    case "rate":
      return { type, nonzeros: a, zeros: b };
    case "trend": {
      const size = ((from[head] ?? 0) - headLength - trendLength) / 2;
      if (size > values.length) {
        values = new Float64Array(size);
        counts = new Float64Array(size);
      }
      for (let i = 0, pair = at + trendLength; i < size; i++, pair += 2) {
        values[i] = from[pair] ?? 0;
        counts[i] = from[pair + 1] ?? 0;
      }
      return { type, observations: { size, values, counts, count: a, sum: b, min: c, max: d } };
    }
  }
}

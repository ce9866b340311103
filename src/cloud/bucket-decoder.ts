/**
 * Reads what a push holds of one series and one time bucket. Fields by number, all of them numbers but where it is said:
 *
 *     1 a Timestamp, whose field 1 is seconds
 *     counter      2 sum
 *     gauge        2 last    3 count    4 min    5 max
 *     rate         2 non-zeros    3 all
 *     trend        2 how often each bucket was hit, packed    3 spans of buckets, each with 1 offset and 2 length
 *                  5 sum    6 count    7 min    8 max    9 below all buckets    10 above them    11 resolution
 *
 * What is zero is not written. A gauge's max is never below zero, whatever its values. Seconds are an int64; a uint32 has the same bytes until 2106, and is a number.
 *
 * Source: k6 `internal/output/cloud/expv2/pbcloud/metric.proto` (v2.2.0).
 */
import type protobuf from "protobufjs/minimal.js";
import type { Observations, SampleBucket } from "../sample/sample-bucket.ts";
import { HdrHistogram } from "./hdr-histogram.ts";
import type { SeriesRange } from "./metric-set.ts";
import { bytes, double, endOf, fieldOf, formOf, tagOf, varint } from "./wire.ts";

const fieldLimit = 12;
/** By type: the fields that may be any number. The others are counts. */
const doubles: readonly (readonly number[])[] = [[], [2], [2, 4, 5, 6], [], [5, 7, 8, 11]];
const none = new Float64Array();
const noObservations: Observations = {
  size: 0,
  values: none,
  counts: none,
  count: 0,
  sum: 0,
  min: 0,
  max: 0,
};

export class BucketDecoder {
  readonly #fields = new Float64Array(fieldLimit);
  readonly #histogram = new HdrHistogram();
  readonly #counter = { type: "counter" as const, sum: 0 };
  readonly #gauge = { type: "gauge" as const, last: 0, max: 0, count: 0 };
  readonly #rate = { type: "rate" as const, nonzeros: 0, zeros: 0 };
  readonly #trend = { type: "trend" as const, observations: noObservations };

  /**
   * From the reader's position to `end`. The bucket is valid until the next call.
   *
   * @param type 1 counter, 2 gauge, 3 rate, 4 trend
   * @throws Error for what k6 cannot have sent
   */
  decode(type: number, reader: protobuf.Reader, end: number): SampleBucket {
    const fields = this.#fields.fill(0);
    const histogram = type === 4 ? this.#histogram : undefined;
    histogram?.clear();
    while (reader.pos < end) {
      const tag = reader.uint32();
      const field = fieldOf(tag);
      const form = formOf(tag);
      if (form === varint) fields[field] = reader.uint32();
      else if (form === double && doubles[type]?.includes(field)) fields[field] = reader.double();
      else if (form === bytes && field === 2 && histogram) readCounts(reader, end, histogram);
      else if (form === bytes && field === 3 && histogram) readSpan(reader, end, histogram);
      else reader.skipType(form);
    }
    switch (type) {
      case 1:
        this.#counter.sum = fields[2] ?? 0;
        return this.#counter;
      case 2:
        this.#gauge.last = fields[2] ?? 0;
        this.#gauge.count = fields[3] ?? 0;
        // k6 before 1.8.0 has the smallest and the largest in each other's place.
        this.#gauge.max = largestOf(this.#gauge, Math.max(fields[4] ?? 0, fields[5] ?? 0));
        return this.#gauge;
      case 3:
        this.#rate.nonzeros = fields[2] ?? 0;
        this.#rate.zeros = (fields[3] ?? 0) - this.#rate.nonzeros;
        if (this.#rate.zeros < 0) throw new Error(`${fields[2]} of ${fields[3]} samples are true`);
        return this.#rate;
      default:
        this.#trend.observations = this.#histogram.toObservations({
          sum: fields[5] ?? 0,
          count: fields[6] ?? 0,
          min: fields[7] ?? 0,
          max: fields[8] ?? 0,
          low: fields[9] ?? 0,
          high: fields[10] ?? 0,
          resolution: fields[11] ?? 0,
        });
        return this.#trend;
    }
  }
}

/** k6's largest value begins at zero, and is no value of a gauge whose values are all below it (`metrics/sink.go`). */
function largestOf({ last, count }: { last: number; count: number }, max: number): number {
  if (max > 0 || last >= 0) return max;
  return count === 1 ? last : -Infinity;
}

/**
 * Calls `visit` for each bucket of a series: its start in seconds since the epoch, and where it lies. It may move the
 * reader, which is of the set's bytes.
 */
export function eachBucket(
  reader: protobuf.Reader,
  { samplesStart, samplesEnd }: SeriesRange,
  visit: (seconds: number, start: number, end: number) => void,
): void {
  reader.pos = samplesStart;
  while (reader.pos < samplesEnd) {
    const tag = reader.uint32();
    if (tag !== tagOf(1, bytes)) throw new Error(`samples have a field of tag ${tag}`);
    const end = endOf(reader, samplesEnd);
    const start = reader.pos;
    visit(readSeconds(reader, end), start, end);
    reader.pos = end;
  }
}

/** Leaves the reader somewhere before `end`. */
function readSeconds(reader: protobuf.Reader, end: number): number {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag !== tagOf(1, bytes)) {
      reader.skipType(formOf(tag));
      continue;
    }
    const timeEnd = endOf(reader, end);
    while (reader.pos < timeEnd) {
      const timeTag = reader.uint32();
      if (timeTag === tagOf(1, varint)) return reader.uint32();
      reader.skipType(formOf(timeTag));
    }
    return 0;
  }
  throw new Error("a bucket has no time");
}

function readCounts(reader: protobuf.Reader, limit: number, histogram: HdrHistogram): void {
  const end = endOf(reader, limit);
  while (reader.pos < end) histogram.addCount(reader.uint32());
}

function readSpan(reader: protobuf.Reader, limit: number, histogram: HdrHistogram): void {
  const end = endOf(reader, limit);
  let offset = 0;
  let length = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === tagOf(1, varint)) offset = reader.uint32();
    else if (tag === tagOf(2, varint)) length = reader.uint32();
    else reader.skipType(formOf(tag));
  }
  histogram.addSpan(offset, length);
}

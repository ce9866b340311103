/**
 * Writes the message `Histogram`, the same in remote write 1.0 and 2.0.
 *
 *     08 count  19 sum  20 schema  29 zero_threshold  30 zero_count
 *     42 negative_spans  4a negative_deltas  5a positive_spans  62 positive_deltas
 *     78 timestamp  88 01 start_timestamp (2.0 only)
 *
 * Each bucket is a difference to the one before it; spans say which buckets there are.
 * Source: Prometheus `prompb/types.proto`; docs/specs/native_histograms.md, "Spans and deltas".
 */
import type { Buckets } from "../aggregate/bucket-counts.ts";
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import { ByteWriter } from "./byte-writer.ts";

/** Gaps up to this many empty buckets are cheaper as zeros than as a new span, as in client_golang. */
const longestFilledGap = 2;

const spans = new ByteWriter(1 << 12);
const deltas = new ByteWriter(1 << 12);

/** Appends the message's fields. `startTimestampMs` 0 means that it is not sent. */
export function writeHistogram(
  writer: ByteWriter,
  histogram: NativeHistogram,
  timestampMs: number,
  startTimestampMs: number,
): void {
  writer.reserve(96);
  if (histogram.count > 0) {
    writer.byte(0x08);
    writer.varint(histogram.count);
  }
  if (histogram.sum !== 0) {
    writer.byte(0x19);
    writer.double(histogram.sum);
  }
  if (histogram.schema !== 0) {
    writer.byte(0x20);
    writer.zigzag(histogram.schema);
  }
  writer.byte(0x29);
  writer.double(histogram.zeroThreshold);
  // A oneof: written when set, also when zero.
  writer.byte(0x30);
  writer.varint(histogram.zeroCount);
  writeBuckets(writer, histogram.negative, 0x42, 0x4a);
  writeBuckets(writer, histogram.positive, 0x5a, 0x62);
  writeTimes(writer, timestampMs, startTimestampMs);
}

/** Appends the histogram that ends a series: a stale sum and nothing else. */
export function writeStaleHistogram(writer: ByteWriter, timestampMs: number): void {
  writer.reserve(32);
  writer.byte(0x19);
  writer.staleMarker();
  writeTimes(writer, timestampMs, 0);
}

function writeTimes(writer: ByteWriter, timestampMs: number, startTimestampMs: number): void {
  writer.reserve(24);
  writer.byte(0x78);
  writer.varint(timestampMs);
  if (startTimestampMs === 0) return;
  writer.byte(0x88);
  writer.byte(0x01);
  writer.varint(startTimestampMs);
}

function writeBuckets(
  writer: ByteWriter,
  { size, indexes, counts }: Buckets,
  spanTag: number,
  deltasTag: number,
): void {
  if (size === 0) return;
  spans.length = 0;
  deltas.length = 0;
  let previousEnd = 0;
  let previousCount = 0;
  for (let first = 0; first < size;) {
    const start = indexes[first] ?? 0;
    let last = first;
    while (
      last + 1 < size &&
      (indexes[last + 1] ?? 0) - (indexes[last] ?? 0) - 1 <= longestFilledGap
    ) {
      last++;
    }
    const end = (indexes[last] ?? 0) + 1;
    writeSpan(start - previousEnd, end - start, spanTag);
    previousEnd = end;
    deltas.reserve((end - start) * 8);
    for (let at = first, index = start; index < end; index++) {
      const count = indexes[at] === index ? (counts[at++] ?? 0) : 0;
      deltas.zigzag(count - previousCount);
      previousCount = count;
    }
    first = last + 1;
  }
  writer.reserve(spans.length + deltas.length + 16);
  writer.append(spans);
  writer.byte(deltasTag);
  writer.varint(deltas.length);
  writer.append(deltas);
}

/** Appends `BucketSpan`: 08 offset (zigzag)  10 length. */
function writeSpan(offset: number, length: number, tag: number): void {
  spans.reserve(32);
  spans.byte(tag);
  const lengthAt = spans.length;
  spans.byte(0);
  if (offset !== 0) {
    spans.byte(0x08);
    spans.zigzag(offset);
  }
  spans.byte(0x10);
  spans.varint(length);
  // At most 18 bytes, so the length is one byte.
  spans.patch(lengthAt, spans.length - lengthAt - 1);
}

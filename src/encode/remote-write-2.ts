/**
 * Writes `io.prometheus.write.v2.Request`, remote write 2.0.
 *
 *     22 len symbol …
 *     2a len TimeSeries { 0a len labels_refs (packed)
 *                         12 len Sample { 09 value  10 timestamp  18 start_timestamp }
 *                       | 1a len Histogram
 *                         2a len Metadata { 08 type  18 help_ref  20 unit_ref } }
 *
 * From one push interval to the next the same series come in the same order, and then the table and all
 * references are the same too. So the parts of a request that are not points are kept: as long as the series
 * are those of the last request, they are copied; from the first other one on they are made anew.
 *
 * Source: Prometheus `prompb/io/prometheus/write/v2/types.proto` (2.0-rc.4); Remote-Write 2.0.
 */
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { OutputSeries } from "../aggregate/series-point.ts";
import { ByteWriter, RepeatedVarint, varintLength } from "./byte-writer.ts";
import { writeHistogram, writeStaleHistogram } from "./native-histogram.ts";
import {
  familyTypeNumbers,
  giveRequestBuffer,
  type PointKind,
  type RequestWriter,
  takeRequestBuffer,
} from "./request-writer.ts";
import { Symbols } from "./symbols.ts";

/** Where one histogram is put together. */
const message = new ByteWriter(1 << 12);
const nothing = new ByteWriter(0);

export class RemoteWrite2Writer implements RequestWriter {
  readonly protocol = "2";
  readonly #symbols = new Symbols();
  /** The TimeSeries of the request that is under way. */
  #series: ByteWriter = nothing;
  readonly #plan = new Plan();
  readonly #timestamp = new RepeatedVarint();
  readonly #start = new RepeatedVarint();
  /** TimeSeries in the request so far. */
  #count = 0;

  get length(): number {
    return this.#count === 0 ? 0 : this.#series.length + this.#tableLength();
  }

  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void {
    const length =
      (value === 0 ? 0 : 9) +
      (1 + this.#timestamp.prepare(timestampMs)) +
      (startTimestampMs === 0 ? 0 : 1 + this.#start.prepare(startTimestampMs));
    const position = this.#beginSeries(series, length + 2);
    const writer = this.#series;
    writer.byte(0x12);
    writer.byte(length);
    if (value !== 0) {
      writer.byte(0x09);
      writer.double(value);
    }
    writer.byte(0x10);
    this.#timestamp.write(writer);
    if (startTimestampMs !== 0) {
      writer.byte(0x18);
      this.#start.write(writer);
    }
    this.#endSeries(position);
  }

  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void {
    message.length = 0;
    writeHistogram(message, histogram, timestampMs, startTimestampMs);
    this.#appendHistogram(series);
  }

  stale(series: OutputSeries, timestampMs: number): PointKind {
    if (series.isNative) {
      message.length = 0;
      writeStaleHistogram(message, timestampMs);
      this.#appendHistogram(series);
      return "histogram";
    }
    const length = 10 + varintLength(timestampMs);
    const position = this.#beginSeries(series, length + 2);
    this.#series.byte(0x12);
    this.#series.byte(length);
    this.#series.byte(0x09);
    this.#series.staleMarker();
    this.#series.byte(0x10);
    this.#series.varint(timestampMs);
    this.#endSeries(position);
    return "float";
  }

  finish(): Buffer {
    const tableLength = this.#tableLength();
    const request = takeRequestBuffer();
    request.reserve(tableLength + this.#series.length);
    request.append(this.#symbols.table, 0, tableLength);
    request.append(this.#series);
    giveRequestBuffer(request);
    if (this.#series !== nothing) giveRequestBuffer(this.#series);
    this.#series = nothing;
    this.#count = 0;
    return request.written;
  }

  #tableLength(): number {
    return this.#symbols.tableLength(this.#plan.symbolsUpTo(this.#count));
  }

  #appendHistogram(series: OutputSeries): void {
    const { length } = message;
    const position = this.#beginSeries(series, 1 + varintLength(length) + length);
    this.#series.byte(0x1a);
    this.#series.varint(length);
    this.#series.append(message);
    this.#endSeries(position);
  }

  /**
   * Writes the head of a TimeSeries whose point takes `pointLength` bytes, and reserves room for all of it.
   * Returns its position in the plan.
   */
  #beginSeries(series: OutputSeries, pointLength: number): number {
    if (this.#count === 0) this.#series = takeRequestBuffer();
    const writer = this.#series;
    const plan = this.#plan;
    const position = this.#count++;
    if (plan.seriesAt(position) !== series.id) this.#planSeries(position, series);
    const { parts } = plan;
    const start = plan.startOf(position);
    const middle = plan.middleOf(position);
    const end = plan.startOf(position + 1);
    const length = end - start + pointLength;
    writer.reserve(length + 8);
    writer.byte(0x2a);
    writer.varint(length);
    writer.append(parts, start, middle);
    return position;
  }

  #endSeries(position: number): void {
    const plan = this.#plan;
    this.#series.append(plan.parts, plan.middleOf(position), plan.startOf(position + 1));
  }

  /** Makes the fields labels_refs and metadata of the series at a position, after which nothing is planned. */
  #planSeries(position: number, series: OutputSeries): void {
    const plan = this.#plan;
    const symbols = this.#symbols;
    symbols.truncate(plan.symbolsUpTo(position));
    const { labels, family } = series;
    let refsLength = 0;
    for (const label of labels) {
      refsLength += varintLength(symbols.placeOfName(label));
      refsLength += varintLength(symbols.placeOfValue(label));
    }
    const parts = plan.begin(position);
    parts.reserve(refsLength + 48);
    parts.byte(0x0a);
    parts.varint(refsLength);
    for (const label of labels) {
      parts.varint(symbols.placeOfName(label));
      parts.varint(symbols.placeOfValue(label));
    }
    const middle = parts.length;
    parts.byte(0x2a);
    parts.byte(0);
    parts.byte(0x08);
    parts.byte(familyTypeNumbers[series.family.type]);
    // Place 0 is the empty string, which need not be said.
    const help = symbols.place(symbols.number(family.help));
    if (help !== 0) {
      parts.byte(0x18);
      parts.varint(help);
    }
    const unit = symbols.place(symbols.number(family.unit));
    if (unit !== 0) {
      parts.byte(0x20);
      parts.varint(unit);
    }
    // At most 14 bytes, so the length is one byte.
    parts.patch(middle + 1, parts.length - middle - 2);
    plan.end(position, series.id, middle, symbols.size);
  }
}

/** What a request holds beside its points, by position: which series, and its two constant fields. */
class Plan {
  /** The fields of all positions, end to end: labels_refs, metadata, labels_refs, … */
  readonly parts: ByteWriter = new ByteWriter(1 << 16);
  #length = 0;
  #seriesIds: Int32Array = new Int32Array(1024);
  /** Where in `parts` a position starts; one more than there are positions. */
  #starts: Int32Array = new Int32Array(1025);
  #middles: Int32Array = new Int32Array(1024);
  /** How many symbols are in use after a position. */
  #symbols: Int32Array = new Int32Array(1024);

  /** The series planned at a position, or -1. */
  seriesAt(position: number): number {
    return position < this.#length ? (this.#seriesIds[position] ?? -1) : -1;
  }

  startOf(position: number): number {
    return this.#starts[position] ?? 0;
  }

  middleOf(position: number): number {
    return this.#middles[position] ?? 0;
  }

  /** How many symbols the first `count` positions use; the empty string is always one. */
  symbolsUpTo(count: number): number {
    return count === 0 ? 1 : (this.#symbols[count - 1] ?? 1);
  }

  /** Forgets a position and all after it, and gives the writer for its parts. */
  begin(position: number): ByteWriter {
    this.#length = position;
    this.parts.length = this.startOf(position);
    return this.parts;
  }

  /** Ends what `begin` began. */
  end(position: number, seriesId: number, middle: number, symbols: number): void {
    if (position === this.#seriesIds.length) this.#grow();
    this.#seriesIds[position] = seriesId;
    this.#middles[position] = middle;
    this.#symbols[position] = symbols;
    this.#length = position + 1;
    this.#starts[position + 1] = this.parts.length;
  }

  #grow(): void {
    const capacity = this.#seriesIds.length * 2;
    this.#seriesIds = grown(this.#seriesIds, capacity);
    this.#middles = grown(this.#middles, capacity);
    this.#symbols = grown(this.#symbols, capacity);
    this.#starts = grown(this.#starts, capacity + 1);
  }
}

function grown(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}

/**
 * Writes `io.prometheus.write.v2.Request`, remote write 2.0.
 *
 *     22 len symbol …
 *     2a len TimeSeries { 0a len labels_refs (packed)
 *                         12 len Sample { 09 value  10 timestamp  18 start_timestamp }
 *                       | 1a len Histogram
 *                         2a len Metadata { 08 type  18 help_ref  20 unit_ref } }
 *
 * Source: Prometheus `prompb/io/prometheus/write/v2/types.proto` (2.0-rc.4); Remote-Write 2.0.
 */
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { OutputSeries } from "../aggregate/series-point.ts";
import { ByteWriter, varintLength } from "./byte-writer.ts";
import { writeHistogram, writeStaleHistogram } from "./native-histogram.ts";
import {
  familyTypeNumbers,
  isNative,
  type PointKind,
  type RequestWriter,
} from "./request-writer.ts";
import { Symbols } from "./symbols.ts";

export class RemoteWrite2Writer implements RequestWriter {
  readonly protocol = "2";
  readonly #symbols = new Symbols();
  readonly #series = new ByteWriter(1 << 18);
  readonly #refs = new ByteWriter(1 << 10);
  readonly #message = new ByteWriter(1 << 12);
  readonly #request = new ByteWriter(1 << 18);
  /** Per series: the numbers of its label names and values, in order, then those of help and unit. */
  readonly #strings: Uint32Array[] = [];
  /** The metadata of the series that is being written. */
  #metadata: Uint8Array = new Uint8Array();
  #isFinished = false;

  get length(): number {
    return this.#isFinished ? 0 : this.#series.length + this.#symbols.table.length;
  }

  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void {
    const length =
      (value === 0 ? 0 : 9) +
      (1 + varintLength(timestampMs)) +
      (startTimestampMs === 0 ? 0 : 1 + varintLength(startTimestampMs));
    this.#beginSeries(series, length + 2);
    const writer = this.#series;
    writer.byte(0x12);
    writer.byte(length);
    if (value !== 0) {
      writer.byte(0x09);
      writer.double(value);
    }
    writer.byte(0x10);
    writer.varint(timestampMs);
    if (startTimestampMs !== 0) {
      writer.byte(0x18);
      writer.varint(startTimestampMs);
    }
    this.#endSeries();
  }

  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void {
    this.#message.length = 0;
    writeHistogram(this.#message, histogram, timestampMs, startTimestampMs);
    this.#appendHistogram(series);
  }

  stale(series: OutputSeries, timestampMs: number): PointKind {
    if (isNative(series)) {
      this.#message.length = 0;
      writeStaleHistogram(this.#message, timestampMs);
      this.#appendHistogram(series);
      return "histogram";
    }
    const length = 10 + varintLength(timestampMs);
    this.#beginSeries(series, length + 2);
    this.#series.byte(0x12);
    this.#series.byte(length);
    this.#series.byte(0x09);
    this.#series.staleMarker();
    this.#series.byte(0x10);
    this.#series.varint(timestampMs);
    this.#endSeries();
    return "float";
  }

  finish(): Uint8Array {
    this.#isFinished = true;
    this.#request.length = 0;
    this.#request.reserve(this.#symbols.table.length + this.#series.length);
    this.#request.raw(this.#symbols.table);
    this.#request.raw(this.#series.written);
    return this.#request.written;
  }

  #appendHistogram(series: OutputSeries): void {
    const { length } = this.#message;
    this.#beginSeries(series, 1 + varintLength(length) + length);
    this.#series.byte(0x1a);
    this.#series.varint(length);
    this.#series.raw(this.#message.written);
    this.#endSeries();
  }

  /** Writes the head of a TimeSeries whose point takes `pointLength` bytes, and reserves room for it. */
  #beginSeries(series: OutputSeries, pointLength: number): void {
    if (this.#isFinished) {
      this.#isFinished = false;
      this.#series.length = 0;
      this.#symbols.begin();
    }
    const strings = this.#stringsOf(series);
    const symbols = this.#symbols;
    const labelCount = strings.length - 2;
    const refs = this.#refs;
    refs.length = 0;
    refs.reserve(strings.length * 5 + 16);
    for (let i = 0; i < labelCount; i++) refs.varint(symbols.place(strings[i] ?? 0));
    const refsLength = refs.length;
    // The metadata wait behind the refs in the same buffer until the point is written.
    refs.byte(0x08);
    refs.byte(familyTypeNumbers[series.family.type]);
    // Place 0 is the empty string, which need not be said.
    const help = symbols.place(strings[labelCount] ?? 0);
    if (help !== 0) {
      refs.byte(0x18);
      refs.varint(help);
    }
    const unit = symbols.place(strings[labelCount + 1] ?? 0);
    if (unit !== 0) {
      refs.byte(0x20);
      refs.varint(unit);
    }
    const metadataLength = refs.length - refsLength;
    const length = 1 + varintLength(refsLength) + refsLength + pointLength + 2 + metadataLength;
    const writer = this.#series;
    writer.reserve(length + 8);
    writer.byte(0x2a);
    writer.varint(length);
    writer.byte(0x0a);
    writer.varint(refsLength);
    const { written } = refs;
    writer.raw(written.subarray(0, refsLength));
    this.#metadata = written.subarray(refsLength);
  }

  #endSeries(): void {
    this.#series.byte(0x2a);
    this.#series.byte(this.#metadata.length);
    this.#series.raw(this.#metadata);
  }

  #stringsOf(series: OutputSeries): Uint32Array {
    let strings = this.#strings[series.id];
    if (strings === undefined) {
      const { labels, family } = series;
      const texts = [
        ...labels.flatMap(({ name, value }) => [name, value]),
        family.help,
        family.unit,
      ];
      strings = Uint32Array.from(texts, (text) => this.#symbols.number(text));
      this.#strings[series.id] = strings;
    }
    return strings;
  }
}

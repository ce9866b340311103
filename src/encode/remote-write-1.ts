/**
 * Writes `prometheus.WriteRequest`, remote write 1.0.
 *
 *     0a len TimeSeries { 0a len Label { 0a len name  12 len value } …
 *                         12 len Sample { 09 value  10 timestamp }
 *                       | 22 len Histogram }
 *     1a len MetricMetadata { 08 type  12 len family  22 len help  2a len unit }
 *
 * The labels of a series never change, so their bytes are made once.
 * Source: Prometheus `prompb/remote.proto`, `prompb/types.proto`; Remote-Write 1.0.
 */
import protobuf from "protobufjs/minimal.js";
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { MetricFamily, OutputSeries } from "../aggregate/series-point.ts";
import { ByteStrings } from "./byte-strings.ts";
import { ByteWriter, RepeatedVarint, varintLength } from "./byte-writer.ts";
import { writeHistogram, writeStaleHistogram } from "./native-histogram.ts";
import {
  familyTypeNumbers,
  giveRequestBuffer,
  type PointKind,
  type RequestWriter,
  takeRequestBuffer,
} from "./request-writer.ts";

/** Metadata is repeated this often, as Prometheus' own sender does (`metadata_config.send_interval`). */
const metadataIntervalMs = 60_000;

/** Where one histogram is put together. */
const message = new ByteWriter(1 << 12);
const nothing = new ByteWriter(0);

export class RemoteWrite1Writer implements RequestWriter {
  readonly protocol = "1";
  /** The request that is under way. */
  #writer: ByteWriter = nothing;
  readonly #timestamp = new RepeatedVarint();
  /** The encoded labels of each series, by its id. */
  readonly #labelBlocks = new ByteStrings();
  /** When each family's metadata was last written. */
  readonly #metadataSentMs = new Map<string, number>();
  readonly #dueMetadata: MetricFamily[] = [];

  get length(): number {
    return this.#writer.length;
  }

  float(series: OutputSeries, timestampMs: number, value: number): void {
    const length = (value === 0 ? 0 : 9) + 1 + this.#timestamp.prepare(timestampMs);
    this.#beginSeries(series, timestampMs, length + 2);
    this.#writer.byte(0x12);
    this.#writer.byte(length);
    if (value !== 0) {
      this.#writer.byte(0x09);
      this.#writer.double(value);
    }
    this.#writer.byte(0x10);
    this.#timestamp.write(this.#writer);
  }

  histogram(series: OutputSeries, timestampMs: number, histogram: NativeHistogram): void {
    message.length = 0;
    // Start timestamps belong to remote write 2.0.
    writeHistogram(message, histogram, timestampMs, 0);
    this.#appendHistogram(series, timestampMs);
  }

  stale(series: OutputSeries, timestampMs: number): PointKind {
    if (series.isNative) {
      message.length = 0;
      writeStaleHistogram(message, timestampMs);
      this.#appendHistogram(series, timestampMs);
      return "histogram";
    }
    const length = 10 + varintLength(timestampMs);
    this.#beginSeries(series, timestampMs, length + 2);
    this.#writer.byte(0x12);
    this.#writer.byte(length);
    this.#writer.byte(0x09);
    this.#writer.staleMarker();
    this.#writer.byte(0x10);
    this.#writer.varint(timestampMs);
    return "float";
  }

  finish(): Buffer {
    for (const family of this.#dueMetadata) {
      const block = metadataBlock(family);
      this.#writer.reserve(block.length);
      this.#writer.raw(block);
    }
    this.#dueMetadata.length = 0;
    const request = this.#writer;
    if (request !== nothing) giveRequestBuffer(request);
    this.#writer = nothing;
    return request.written;
  }

  #appendHistogram(series: OutputSeries, timestampMs: number): void {
    const { length } = message;
    this.#beginSeries(series, timestampMs, 1 + varintLength(length) + length);
    this.#writer.byte(0x22);
    this.#writer.varint(length);
    this.#writer.append(message);
  }

  /** Writes the head of a TimeSeries whose point takes `pointLength` bytes, and reserves room for it. */
  #beginSeries(series: OutputSeries, timestampMs: number, pointLength: number): void {
    if (this.#writer === nothing) this.#writer = takeRequestBuffer();
    if (this.#labelBlocks.length(series.id) === 0) {
      this.#labelBlocks.set(series.id, labelBlock(series));
    }
    this.#noteMetadata(series.family, timestampMs);
    const length = this.#labelBlocks.length(series.id) + pointLength;
    this.#writer.reserve(length + 8);
    this.#writer.byte(0x0a);
    this.#writer.varint(length);
    this.#labelBlocks.write(series.id, this.#writer);
  }

  #noteMetadata(family: MetricFamily, timestampMs: number): void {
    const sentMs = this.#metadataSentMs.get(family.name);
    if (sentMs !== undefined && timestampMs - sentMs < metadataIntervalMs) return;
    this.#metadataSentMs.set(family.name, timestampMs);
    this.#dueMetadata.push(family);
  }
}

function labelBlock(series: OutputSeries): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { name, value } of series.labels) {
    writer.uint32(0x0a).fork().uint32(0x0a).string(name).uint32(0x12).string(value).ldelim();
  }
  return writer.finish();
}

function metadataBlock({ name, type, help, unit }: MetricFamily): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(0x1a).fork().uint32(0x08).int32(familyTypeNumbers[type]);
  writer.uint32(0x12).string(name).uint32(0x22).string(help);
  if (unit !== "") writer.uint32(0x2a).string(unit);
  return writer.ldelim().finish();
}

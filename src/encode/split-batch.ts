/**
 * Opens a finished request again: cuts it in two between series, and says which series it holds.
 *
 * In:  a request of our own encoders, as it was spooled. Out: two requests with the same points in the same order,
 * so that sending one after the other keeps each series in order. A cold path: only a receiver that refuses a
 * request leads here, and protobufjs' schema-driven decoder reads it.
 *
 * Samples, histograms and, in 1.0, whole series are copied as bytes; in 2.0 each half gets a symbol table of its
 * own with the strings that it uses. The encoders write no exemplars, so there are none to keep.
 * Source: Prometheus `prompb/remote.proto`, `prompb/types.proto`, `prompb/io/prometheus/write/v2/types.proto`.
 */
import type protobuf from "protobufjs";
import type { EncodedBatch } from "./encoded-batch.ts";
import { messageTypes } from "./message-types.ts";
import { compressBlock, uncompressBlock } from "./snappy-block.ts";

const schema = `
syntax = "proto3";
message Request1 { repeated bytes timeseries = 1; repeated bytes metadata = 3; }
message Label { bytes name = 1; bytes value = 2; }
message Series1 { repeated Label labels = 1; repeated bytes samples = 2; repeated bytes histograms = 4; }
message Metadata { uint32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
message Series2 {
  repeated uint32 labels_refs = 1;
  repeated bytes samples = 2;
  repeated bytes histograms = 3;
  Metadata metadata = 5;
}
message Request2 { repeated bytes symbols = 4; repeated Series2 timeseries = 5; }
message Sample { int64 timestamp = 2; }
message Histogram { int64 timestamp = 15; }
`;
const typeOf = messageTypes(schema);

interface Request1 {
  readonly timeseries: readonly Uint8Array[];
  readonly metadata: readonly Uint8Array[];
}

interface Points {
  readonly samples: readonly Uint8Array[];
  readonly histograms: readonly Uint8Array[];
}

interface Series1 extends Points {
  readonly labels: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[];
}

interface Series2 extends Points {
  readonly labels_refs: readonly number[];
  readonly metadata: {
    readonly type: number;
    /** 0, the empty string, where it is not there. */
    readonly help_ref: number;
    readonly unit_ref: number;
  } | null;
}

interface Request2 {
  readonly symbols: readonly Uint8Array[];
  readonly timeseries: readonly Series2[];
}

/** The first half of the request's series and the second; `undefined` for a request with a single one. */
export function splitBatch<Batch extends EncodedBatch>(
  batch: Batch,
): readonly [Batch, Batch] | undefined {
  return batch.protocol === "1" ? split1(batch) : split2(batch);
}

/** The request's first series as PromQL writes it, e.g. `k6_vus{testid="7"}`. */
export function describeSeries(batch: EncodedBatch): string {
  const labels = new Map(
    firstLabels(batch).map(({ name, value }) => [textOf(name), textOf(value)] as const),
  );
  const pairs = [...labels]
    .filter(([name]) => name !== "__name__")
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${labels.get("__name__") ?? ""}{${pairs.join(", ")}}`;
}

function split1<Batch extends EncodedBatch>(batch: Batch): readonly [Batch, Batch] | undefined {
  const { timeseries, metadata } = decode1(batch);
  if (timeseries.length < 2) return undefined;
  const middle = Math.ceil(timeseries.length / 2);
  const half = (series: readonly Uint8Array[], itsMetadata: readonly Uint8Array[]): Batch =>
    toBatch(
      batch,
      typeOf("Request1").encode({ timeseries: series, metadata: itsMetadata }),
      series.map(decodeSeries1),
    );
  return [half(timeseries.slice(0, middle), []), half(timeseries.slice(middle), metadata)];
}

function split2<Batch extends EncodedBatch>(batch: Batch): readonly [Batch, Batch] | undefined {
  const { symbols, timeseries } = decode2(batch);
  if (timeseries.length < 2) return undefined;
  const middle = Math.ceil(timeseries.length / 2);
  const half = (series: readonly Series2[]): Batch =>
    toBatch(batch, typeOf("Request2").encode(withOwnSymbols(series, symbols)), series);
  return [half(timeseries.slice(0, middle)), half(timeseries.slice(middle))];
}

/** The series with references into a table that holds what they use, in the order of first use. */
function withOwnSymbols(timeseries: readonly Series2[], symbols: readonly Uint8Array[]): Request2 {
  // The empty string is always there, and always first.
  const places = new Map([[0, 0]]);
  const place = (ref: number): number => {
    const known = places.get(ref) ?? places.size;
    places.set(ref, known);
    return known;
  };
  const moved = timeseries.map(({ labels_refs: refs, metadata, ...points }) => ({
    ...points,
    labels_refs: refs.map(place),
    metadata: metadata && {
      type: metadata.type,
      help_ref: place(metadata.help_ref),
      unit_ref: place(metadata.unit_ref),
    },
  }));
  return { timeseries: moved, symbols: [...places.keys()].map((ref) => symbolAt(symbols, ref)) };
}

function toBatch<Batch extends EncodedBatch>(
  batch: Batch,
  message: protobuf.Writer,
  series: readonly Points[],
): Batch {
  const samples = series.flatMap((one) => one.samples);
  const histograms = series.flatMap((one) => one.histograms);
  const timestamps = [
    ...samples.map((bytes) => timestampOf(typeOf("Sample"), bytes)),
    ...histograms.map((bytes) => timestampOf(typeOf("Histogram"), bytes)),
  ];
  return {
    ...batch,
    body: compressBlock(Buffer.from(message.finish())),
    samples: samples.length,
    histograms: histograms.length,
    minTimestampMs: timestamps.reduce((a, b) => Math.min(a, b), Infinity),
    maxTimestampMs: timestamps.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

function firstLabels(batch: EncodedBatch): Series1["labels"] {
  if (batch.protocol === "1") {
    const [first] = decode1(batch).timeseries;
    return first ? decodeSeries1(first).labels : [];
  }
  const { symbols, timeseries } = decode2(batch);
  const refs = timeseries[0]?.labels_refs ?? [];
  return Array.from({ length: refs.length / 2 }, (_, pair) => ({
    name: symbolAt(symbols, refs[pair * 2]),
    value: symbolAt(symbols, refs[pair * 2 + 1]),
  }));
}

// The bytes are our own encoder's, and the schema above gives them these shapes.
function decode1({ body }: EncodedBatch): Request1 {
  return typeOf("Request1").decode(uncompressBlock(body)) as unknown as Request1;
}

function decodeSeries1(bytes: Uint8Array): Series1 {
  return typeOf("Series1").decode(bytes) as unknown as Series1;
}

function decode2({ body }: EncodedBatch): Request2 {
  return typeOf("Request2").decode(uncompressBlock(body)) as unknown as Request2;
}

function timestampOf(type: protobuf.Type, bytes: Uint8Array): number {
  const { timestamp } = type.decode(bytes) as unknown as { readonly timestamp: unknown };
  // A number, or an object of `long` where that is installed.
  return Number(timestamp);
}

function symbolAt(symbols: readonly Uint8Array[], ref: number | undefined): Uint8Array {
  return symbols[ref ?? 0] ?? new Uint8Array();
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

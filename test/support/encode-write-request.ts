/**
 * Encodes small write requests with protobufjs' reflective encoder, for tests of what lies behind encoding.
 */
import { compressSync } from "snappy";
import type { EncodedBatch, RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";
import { Request2, WriteRequest } from "./remote-write-proto.ts";

export interface RequestContent {
  readonly protocol: RemoteWriteProtocol;
  readonly timestampMs: number;
  /** The value of `<metric>`; left out where there is none. */
  readonly float?: number;
  /** Observations of 1.0 in the native histogram `<metric>_seconds`; left out where there are none. */
  readonly histogramCount?: number;
  /** Default `test_metric`. */
  readonly metric?: string;
}

/** At most one float and one native histogram, each a series of its own. */
export function encodeWriteRequest(content: RequestContent): EncodedBatch {
  const { protocol, timestampMs, float, histogramCount, metric = "test_metric" } = content;
  const points = [
    ...(float === undefined
      ? []
      : [{ name: metric, samples: [{ value: float, timestamp: timestampMs }] }]),
    ...(histogramCount === undefined
      ? []
      : [{ name: `${metric}_seconds`, histograms: [histogramOf(histogramCount, timestampMs)] }]),
  ];
  const message = protocol === "1" ? encode1(points) : encode2(points);
  return {
    protocol,
    body: compressSync(message),
    samples: float === undefined ? 0 : 1,
    histograms: histogramCount === undefined ? 0 : 1,
    minTimestampMs: timestampMs,
    maxTimestampMs: timestampMs,
  };
}

interface Point {
  readonly name: string;
  readonly samples?: readonly object[];
  readonly histograms?: readonly object[];
}

function encode1(points: readonly Point[]): Uint8Array {
  const timeseries = points.map(({ name, ...values }) => ({
    labels: [{ name: "__name__", value: name }],
    ...values,
  }));
  return WriteRequest.encode(WriteRequest.fromObject({ timeseries })).finish();
}

function encode2(points: readonly Point[]): Uint8Array {
  const symbols = ["", "__name__", ...points.map(({ name }) => name)];
  const timeseries = points.map(({ name, ...values }) => ({
    labels_refs: [1, symbols.indexOf(name)],
    ...values,
    metadata: { type: values.samples ? "GAUGE" : "HISTOGRAM" },
  }));
  return Request2.encode(Request2.fromObject({ symbols, timeseries })).finish();
}

/** Schema 0; the value 1 is in bucket 0, which is (0.5, 1]. */
function histogramOf(count: number, timestampMs: number): object {
  return {
    count_int: count,
    sum: count,
    schema: 0,
    zero_threshold: 2 ** -128,
    zero_count_int: 0,
    positive_spans: [{ offset: 0, length: 1 }],
    positive_deltas: [count],
    timestamp: timestampMs,
  };
}

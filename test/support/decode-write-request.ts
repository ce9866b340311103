/**
 * Turns the body of a remote-write request into plain objects, with protobufjs' reflective decoder and the
 * schemas of remote-write-proto.ts: an independent check of what `src/encode/` writes.
 *
 * Throws where the body cannot be decoded; what can be decoded and breaks a rule is for strict-receiver.ts.
 */
import { uncompressSync } from "snappy";
import type { RemoteWriteProtocol } from "../../src/encode/encoded-batch.ts";
import { Request2Bits, WriteRequestBits } from "./remote-write-proto.ts";

export interface DecodedRequest {
  readonly series: readonly DecodedSeries[];
  /** 1.0 only; in 2.0 each series has its own. */
  readonly metadata: readonly (DecodedMetadata & { readonly name: string })[];
  /** 2.0 only, else empty. */
  readonly symbols: readonly string[];
}

export interface DecodedSeries {
  /** In the order of the wire. */
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  readonly samples: readonly DecodedSample[];
  readonly histograms: readonly DecodedHistogram[];
  /** 2.0 only. */
  readonly metadata?: DecodedMetadata;
}

export interface DecodedMetadata {
  /** `COUNTER`, `GAUGE`, `HISTOGRAM`, … */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface DecodedSample {
  /** NaN for a stale marker. */
  readonly value: number;
  /** The value's bits are exactly those of the stale marker. */
  readonly isStale: boolean;
  readonly timestampMs: number;
  /** 0 where it is not set, as always in 1.0. */
  readonly startTimestampMs: number;
}

export interface DecodedSpan {
  readonly offset: number;
  readonly length: number;
}

export interface DecodedHistogram {
  readonly kind: "integer" | "float";
  readonly count: number;
  readonly sum: number;
  /** The sum's bits are exactly those of the stale marker. */
  readonly isStale: boolean;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positiveSpans: readonly DecodedSpan[];
  /** Integer histograms. */
  readonly positiveDeltas: readonly number[];
  /** Float histograms. */
  readonly positiveCounts: readonly number[];
  readonly negativeSpans: readonly DecodedSpan[];
  readonly negativeDeltas: readonly number[];
  readonly negativeCounts: readonly number[];
  readonly customValues: readonly number[];
  readonly resetHint: string;
  readonly timestampMs: number;
  readonly startTimestampMs: number;
}

/** What `toObject` gives for the schemas: 64-bit integers, and the bits of doubles, are decimal strings. */
interface RawSample {
  readonly value: string;
  readonly timestamp: string;
  readonly start_timestamp?: string;
}

interface RawHistogram {
  readonly count_int?: string;
  readonly count_float?: string;
  readonly sum: string;
  readonly schema: number;
  readonly zero_threshold: string;
  readonly zero_count_int?: string;
  readonly zero_count_float?: string;
  readonly negative_spans: readonly DecodedSpan[];
  readonly negative_deltas: readonly string[];
  readonly negative_counts: readonly string[];
  readonly positive_spans: readonly DecodedSpan[];
  readonly positive_deltas: readonly string[];
  readonly positive_counts: readonly string[];
  readonly reset_hint: string;
  readonly timestamp: string;
  readonly custom_values: readonly string[];
  readonly start_timestamp: string;
}

interface RawRequest1 {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly samples: readonly RawSample[];
    readonly histograms: readonly RawHistogram[];
  }[];
  readonly metadata: readonly {
    readonly type: string;
    readonly metric_family_name: string;
    readonly help: string;
    readonly unit: string;
  }[];
}

interface RawRequest2 {
  readonly symbols: readonly string[];
  readonly timeseries: readonly {
    readonly labels_refs: readonly number[];
    readonly samples: readonly RawSample[];
    readonly histograms: readonly RawHistogram[];
    readonly metadata: {
      readonly type: string;
      readonly help_ref: number;
      readonly unit_ref: number;
    } | null;
  }[];
}

const toObjectOptions = { longs: String, enums: String, defaults: true };

/** Source: Prometheus, `model/value/value.go`. */
const staleBits = 0x7ff0_0000_0000_0002n;

/** @throws Error for bytes that are no snappy block, or no message, or refer to a symbol that is not there. */
export function decodeWriteRequest(
  protocol: RemoteWriteProtocol,
  body: Uint8Array,
): DecodedRequest {
  const message = uncompressSync(body, { asBuffer: true });
  if (typeof message === "string") throw new TypeError("snappy gave a string");
  return protocol === "1" ? decode1(message) : decode2(message);
}

function decode1(message: Buffer): DecodedRequest {
  const raw = WriteRequestBits.toObject(WriteRequestBits.decode(message), toObjectOptions);
  const timeseries: RawRequest1["timeseries"] = raw["timeseries"];
  const metadata: RawRequest1["metadata"] = raw["metadata"];
  return {
    symbols: [],
    series: timeseries.map(({ labels, samples, histograms }) => ({
      labels: labels.map(({ name, value }) => ({ name, value })),
      samples: samples.map(toSample),
      histograms: histograms.map(toHistogram),
    })),
    metadata: metadata.map(({ metric_family_name: name, type, help, unit }) => ({
      name,
      type,
      help,
      unit,
    })),
  };
}

function decode2(message: Buffer): DecodedRequest {
  const raw = Request2Bits.toObject(Request2Bits.decode(message), toObjectOptions);
  const symbols: RawRequest2["symbols"] = raw["symbols"];
  const timeseries: RawRequest2["timeseries"] = raw["timeseries"];
  const symbol = (ref: number | undefined): string => {
    const text = ref === undefined ? undefined : symbols[ref];
    if (text === undefined) throw new Error(`there is no symbol ${ref} of ${symbols.length}`);
    return text;
  };
  return {
    symbols,
    metadata: [],
    series: timeseries.map(({ labels_refs: refs, samples, histograms, metadata }) => ({
      labels: refs.flatMap((ref, index) =>
        index % 2 === 0 ? [{ name: symbol(ref), value: symbol(refs[index + 1]) }] : [],
      ),
      samples: samples.map(toSample),
      histograms: histograms.map(toHistogram),
      ...(metadata !== null && {
        metadata: {
          type: metadata.type,
          help: symbol(metadata.help_ref),
          unit: symbol(metadata.unit_ref),
        },
      }),
    })),
  };
}

function toSample({ value, timestamp, start_timestamp: start }: RawSample): DecodedSample {
  return {
    value: toDouble(value),
    isStale: BigInt(value) === staleBits,
    timestampMs: Number(timestamp),
    startTimestampMs: Number(start ?? 0),
  };
}

function toHistogram(raw: RawHistogram): DecodedHistogram {
  const isFloat = raw.count_float !== undefined;
  return {
    kind: isFloat ? "float" : "integer",
    count: isFloat ? toDouble(raw.count_float) : Number(raw.count_int ?? 0),
    sum: toDouble(raw.sum),
    isStale: BigInt(raw.sum) === staleBits,
    schema: raw.schema,
    zeroThreshold: toDouble(raw.zero_threshold),
    zeroCount:
      raw.zero_count_float === undefined
        ? Number(raw.zero_count_int ?? 0)
        : toDouble(raw.zero_count_float),
    positiveSpans: raw.positive_spans,
    positiveDeltas: raw.positive_deltas.map(Number),
    positiveCounts: raw.positive_counts.map(toDouble),
    negativeSpans: raw.negative_spans,
    negativeDeltas: raw.negative_deltas.map(Number),
    negativeCounts: raw.negative_counts.map(toDouble),
    customValues: raw.custom_values.map(toDouble),
    resetHint: raw.reset_hint,
    timestampMs: Number(raw.timestamp),
    startTimestampMs: Number(raw.start_timestamp),
  };
}

function toDouble(bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(bits));
  return view.getFloat64(0);
}

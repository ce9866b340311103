/**
 * What the two versions of the remote-write message have in common for their users.
 */
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { OutputSeries } from "../aggregate/series-point.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { RemoteWriteProtocol } from "./encoded-batch.ts";

/** What a point counts as in the Written headers of remote write 2.0. */
export type PointKind = "float" | "histogram";

/** Writes points into one request after the other. Caches what is constant per series, by the series' id. */
export interface RequestWriter {
  readonly protocol: RemoteWriteProtocol;
  /** Bytes of the request so far, before compression. */
  readonly length: number;
  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void;
  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void;
  /** The marker that ends the series, in the form that the series' other points have. */
  stale(series: OutputSeries, timestampMs: number): PointKind;
  /** The finished message; valid until the next write to any writer. */
  finish(): Buffer;
}

/** Room for a request, of writers that have none under way: a server has a writer for each run, and few write at a time. */
const idle: ByteWriter[] = [];

/** Empty; to be given back when the request is finished. */
export function takeRequestBuffer(): ByteWriter {
  const buffer = idle.pop() ?? new ByteWriter(1 << 18);
  buffer.length = 0;
  return buffer;
}

export function giveRequestBuffer(buffer: ByteWriter): void {
  idle.push(buffer);
}

/** The types' numbers on the wire. Source: Prometheus `prompb/types.proto`, MetricMetadata.MetricType. */
export const familyTypeNumbers = { counter: 1, gauge: 2, histogram: 3 } as const;

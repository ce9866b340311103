/**
 * Gives each series its queue: one `BatchEncoder` per queue, and points to that of their series.
 *
 * The queue follows from the labels alone, so a later process of the same run, which finds requests of this one in
 * the spool, puts new points of a series behind its old ones.
 */
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { OutputSeries, PointSink } from "../aggregate/series-point.ts";
import { BatchEncoder } from "../encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";

/** What begins so is about the run as a whole: few series, which need no second queue. */
const runPrefix = "plimsoll_";

/** @param emit Is given each finished request, and its queue, counted from 0. */
export function routeToQueues(
  queues: number,
  protocol: RemoteWriteProtocol,
  emit: (queue: number, batch: EncodedBatch) => void,
): PointSink {
  const encoders = Array.from(
    { length: queues },
    (_, queue) => new BatchEncoder(protocol, (batch) => emit(queue, batch)),
  );
  const [only] = encoders;
  return queues === 1 && only ? only : new QueueRouter(encoders);
}

class QueueRouter implements PointSink {
  readonly #encoders: readonly BatchEncoder[];
  /** By series id. */
  readonly #encoderOf: BatchEncoder[] = [];

  constructor(encoders: readonly BatchEncoder[]) {
    this.#encoders = encoders;
  }

  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void {
    this.#encoder(series).float(series, timestampMs, value, startTimestampMs);
  }

  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void {
    this.#encoder(series).histogram(series, timestampMs, histogram, startTimestampMs);
  }

  stale(series: OutputSeries, timestampMs: number): void {
    this.#encoder(series).stale(series, timestampMs);
  }

  requestEnd(): void {
    for (const encoder of this.#encoders) encoder.requestEnd();
  }

  intervalEnd(): void {
    for (const encoder of this.#encoders) encoder.intervalEnd();
  }

  #encoder(series: OutputSeries): BatchEncoder {
    let encoder = this.#encoderOf[series.id];
    if (encoder === undefined) {
      // `queueOf` is below the number of encoders.
      encoder = this.#encoders[queueOf(series, this.#encoders.length)]!;
      this.#encoderOf[series.id] = encoder;
    }
    return encoder;
  }
}

/** From 0. The same for the same labels in every process and version: it decides who waits behind whom. */
export function queueOf(
  { labels, family }: Pick<OutputSeries, "labels" | "family">,
  queues: number,
): number {
  if (family.name.startsWith(runPrefix)) return 0;
  // FNV-1a, 32 bits (RFC 9923), over UTF-16 code units.
  let hash = 0x811c9dc5;
  for (const { name, value } of labels) {
    // No label holds a NUL, so no two sets of labels read alike.
    for (const text of [name, "\0", value, "\0"]) {
      for (let at = 0; at < text.length; at++) {
        hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
      }
    }
  }
  // Its low bits alone would follow the last characters.
  return ((hash ^ (hash >>> 16)) >>> 0) % queues;
}

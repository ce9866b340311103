/**
 * Points in, finished requests out: cut by size and at the end of each push interval, compressed.
 *
 * Source of the limits: Prometheus' sender (`max_samples_per_send` 2 000); Prometheus and VictoriaMetrics refuse
 * bodies over 32 MiB, proxies often those over 1 MiB.
 */
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { OutputSeries, PointSink } from "../aggregate/series-point.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "./encoded-batch.ts";
import { RemoteWrite1Writer } from "./remote-write-1.ts";
import { RemoteWrite2Writer } from "./remote-write-2.ts";
import type { RequestWriter } from "./request-writer.ts";
import { compressBlock } from "./snappy-block.ts";

const maxPointsPerRequest = 2_000;
/** Before compression. */
export const maxBytesPerRequest: number = 1 << 20;

export class BatchEncoder implements PointSink {
  readonly #writer: RequestWriter;
  readonly #emit: (batch: EncodedBatch) => void;
  #samples = 0;
  #histograms = 0;
  #minTimestampMs = Infinity;
  #maxTimestampMs = -Infinity;

  constructor(protocol: RemoteWriteProtocol, emit: (batch: EncodedBatch) => void) {
    this.#writer = protocol === "1" ? new RemoteWrite1Writer() : new RemoteWrite2Writer();
    this.#emit = emit;
  }

  get protocol(): RemoteWriteProtocol {
    return this.#writer.protocol;
  }

  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void {
    this.#writer.float(series, timestampMs, value, startTimestampMs);
    this.#samples++;
    this.#written(timestampMs);
  }

  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void {
    this.#writer.histogram(series, timestampMs, histogram, startTimestampMs);
    this.#histograms++;
    this.#written(timestampMs);
  }

  stale(series: OutputSeries, timestampMs: number): void {
    if (this.#writer.stale(series, timestampMs) === "histogram") this.#histograms++;
    else this.#samples++;
    this.#written(timestampMs);
  }

  requestEnd(): void {
    this.flush();
  }

  intervalEnd(): void {
    this.flush();
  }

  /** Hands over the request as far as it has come. Nothing happens if it is empty. */
  flush(): void {
    if (this.#samples + this.#histograms === 0) return;
    const batch: EncodedBatch = {
      protocol: this.#writer.protocol,
      body: compressBlock(this.#writer.finish()),
      samples: this.#samples,
      histograms: this.#histograms,
      minTimestampMs: this.#minTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
    };
    this.#samples = 0;
    this.#histograms = 0;
    this.#minTimestampMs = Infinity;
    this.#maxTimestampMs = -Infinity;
    this.#emit(batch);
  }

  #written(timestampMs: number): void {
    if (timestampMs < this.#minTimestampMs) this.#minTimestampMs = timestampMs;
    if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs;
    const points = this.#samples + this.#histograms;
    if (points >= maxPointsPerRequest || this.#writer.length >= maxBytesPerRequest) this.flush();
  }
}

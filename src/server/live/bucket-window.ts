/**
 * Holds buckets until their interval is closed, so that those of several generators come in the order of their times.
 *
 * In:  buckets, as they arrive. Out: the same, to every sink, as soon as the interval in which they begin is the open one.
 *
 * A generator whose clock is wrong loses nothing by it: what is said to be of a time to come is taken to be of the moment in
 * which it arrived, and what is said to be of long ago of the earliest moment that the run can be of.
 */
import type { SeriesBuckets } from "../../cloud/metric-set-reader.ts";
import { SharedSeries } from "../../output/fan-out.ts";
import type { Metric } from "../../sample/metric.ts";
import type { DropReason, Tags } from "../../sample/sample.ts";
import type { SampleBucket } from "../../sample/sample-bucket.ts";
import { WaitingBuckets } from "./waiting-buckets.ts";

/** What a hundred generators of 500 series push in a second takes about a twentieth of it. */
const waitingLimitBytes = 128 << 20;

export interface BucketWindowOptions {
  /** Of the sinks' intervals, which end at multiples of it. */
  readonly intervalMs: number;
  /** Unix milliseconds: of which time samples can be at the earliest. */
  readonly earliestMs: number;
  /** When what is handed over arrived. */
  readonly nowMs: () => number;
}

export class BucketWindow implements SeriesBuckets {
  readonly #sinks: readonly SeriesBuckets[];
  readonly #options: BucketWindowOptions;
  readonly #shared: SharedSeries;
  readonly #waiting = new WaitingBuckets();
  /** What begins before would close no interval. 0 while no sink has an open one. */
  #openEndMs = 0;
  #handedOn = 0;
  #oldestMs = Infinity;
  #newestMs = 0;

  constructor(sinks: readonly SeriesBuckets[], options: BucketWindowOptions) {
    this.#sinks = sinks;
    this.#shared = new SharedSeries(sinks);
    this.#options = options;
  }

  /** Of all buckets so far: where the first begins and the last ends; Infinity and 0 before there is one. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  get newestMs(): number {
    return this.#newestMs;
  }

  series(metric: Metric, tags: Tags): number {
    return this.#shared.series(metric, tags);
  }

  bucket(seriesId: number, firstMs: number, endMs: number, bucket: SampleBucket): void {
    const { earliestMs, nowMs } = this.#options;
    const within = (timeMs: number): number => Math.min(Math.max(timeMs, earliestMs), nowMs());
    const [startMs, lastMs] = [within(firstMs), within(endMs)];
    if (startMs < this.#oldestMs) this.#oldestMs = startMs;
    if (lastMs > this.#newestMs) this.#newestMs = lastMs;
    if (startMs < this.#openEndMs) {
      this.#handOn(seriesId, startMs, lastMs, bucket);
      return;
    }
    this.#waiting.push(seriesId, startMs, lastMs, bucket);
    // Better in an interval too early than not at all.
    if (this.#waiting.bytes > waitingLimitBytes) this.flush();
  }

  dropped(reason: DropReason, samples?: number): void {
    for (const sink of this.#sinks) sink.dropped(reason, samples);
  }

  /** A generator does not say for the others how far time has gone. */
  advanceTo(): void {}

  /** Hands on what is older, and then that time has gone on. */
  closeUntil(timestampMs: number): void {
    this.#handOnBefore(timestampMs);
    for (const sink of this.#sinks) sink.advanceTo(timestampMs);
    if (this.#handedOn === 0) return;
    const { intervalMs } = this.#options;
    this.#openEndMs = (Math.floor(timestampMs / intervalMs) + 1) * intervalMs;
    this.#handOnBefore(this.#openEndMs);
  }

  /** Hands on everything. */
  flush(): void {
    this.#handOnBefore(Infinity);
  }

  #handOnBefore(timestampMs: number): void {
    this.#waiting.takeBefore(timestampMs, (...bucket) => this.#handOn(...bucket));
  }

  #handOn(seriesId: number, startMs: number, lastMs: number, bucket: SampleBucket): void {
    this.#handedOn++;
    const ids = this.#shared.idsOf(seriesId);
    for (let at = 0; at < ids.length; at++) {
      // There is an id for each sink.
      this.#sinks[at]!.bucket(ids[at]!, startMs, lastMs, bucket);
    }
  }
}

/**
 * A `SampleSink` that keeps what it is given, for tests of whatever makes samples.
 */
import type { Metric } from "../../src/sample/metric.ts";
import type { DropReason, SampleSink, Tags } from "../../src/sample/sample.ts";

export interface RecordedSample {
  readonly metric: Metric;
  readonly tags: Readonly<Record<string, string>>;
  readonly timestampMs: number;
  readonly value: number;
}

export class RecordingSink implements SampleSink {
  readonly samples: RecordedSample[] = [];
  readonly drops: DropReason[] = [];
  /** How often `series` was called: what is off the hot path. */
  seriesCalls = 0;
  readonly #series: Pick<RecordedSample, "metric" | "tags">[] = [];

  series(metric: Metric, tags: Tags): number {
    this.seriesCalls++;
    return this.#series.push({ metric, tags: Object.fromEntries(tags) }) - 1;
  }

  sample(seriesId: number, timestampMs: number, value: number): void {
    const series = this.#series[seriesId];
    if (!series) throw new RangeError(`no series has the id ${seriesId}`);
    this.samples.push({ ...series, timestampMs, value });
  }

  dropped(reason: DropReason): void {
    this.drops.push(reason);
  }
}

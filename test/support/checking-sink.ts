/** Holds what a sink is given to what it may expect, whatever was pushed, and hands it on. */
import { Aggregator } from "../../src/aggregate/aggregator.ts";
import { decodeUntrusted } from "../../src/cloud/check-metric-set.ts";
import { MetricSetReader } from "../../src/cloud/metric-set-reader.ts";
import type { Metric, MetricType } from "../../src/sample/metric.ts";
import type { DropReason, Tags } from "../../src/sample/sample.ts";
import type { BucketSink, SampleBucket } from "../../src/sample/sample-bucket.ts";
import { createMapper } from "./mapper.ts";
import { RecordingPoints } from "./recording-points.ts";

export class CheckingSink implements BucketSink {
  buckets = 0;
  /** What must not be, in words. */
  readonly violations: string[] = [];
  readonly #inner: BucketSink;
  readonly #types = new Map<number, MetricType>();

  constructor(inner: BucketSink) {
    this.#inner = inner;
  }

  series(metric: Metric, tags: Tags): number {
    const id = this.#inner.series(metric, tags);
    this.#types.set(id, metric.type);
    return id;
  }

  sample(): void {
    this.violations.push("a push has no single samples");
  }

  /** Of a metric that changes its type. */
  dropped(reason: DropReason, samples?: number): void {
    this.#expect(reason === "series_collision", `a push drops for ${reason}`);
    this.#inner.dropped(reason, samples);
  }

  bucket(seriesId: number, startMs: number, lastMs: number, bucket: SampleBucket): void {
    this.buckets++;
    const type = this.#types.get(seriesId);
    this.#expect(bucket.type === type, `a ${bucket.type} in a series of type ${type}`);
    this.#expect(startMs <= lastMs, `a bucket from ${startMs} to ${lastMs}`);
    this.#expect(Number.isSafeInteger(startMs), `a bucket starts at ${startMs}`);
    if (bucket.type === "rate") {
      const { nonzeros, zeros } = bucket;
      this.#expect(nonzeros >= 0 && zeros >= 0, `${nonzeros} and ${zeros} samples of a rate`);
    } else if (bucket.type === "trend") {
      const { size, count, ...lists } = bucket.observations;
      const [values, counts] = [lists.values.subarray(0, size), lists.counts.subarray(0, size)];
      const sum = counts.reduce((total, one) => total + one, 0);
      this.#expect(counts.length === size && sum === count, `${sum} of ${count} observations`);
      this.#expect(!values.some(Number.isNaN), "an observation that is no number");
      const isCount = (count: number): boolean => Number.isSafeInteger(count) && count > 0;
      this.#expect(counts.every(isCount), "a count that is none");
    }
    this.#inner.bucket(seriesId, startMs, lastMs, bucket);
  }

  advanceTo(timestampMs: number): void {
    this.#expect(Number.isSafeInteger(timestampMs), `time goes on to ${timestampMs}`);
    this.#inner.advanceTo(timestampMs);
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.violations.push(otherwise);
  }
}

/** A reader before an aggregator whose points go nowhere. */
export function checkedReader(): {
  readonly sink: CheckingSink;
  readonly read: (body: Buffer) => Promise<void>;
} {
  // A minute after the pushes of broken-metric-sets.ts.
  const clock = { nowMs: () => 1_787_000_060_000, sleep: async () => undefined };
  const aggregator = new Aggregator(createMapper(), new RecordingPoints(), {
    pushIntervalMs: 1_000,
    latenessMs: 250,
    staleMarkers: false,
    clock,
  });
  const sink = new CheckingSink(aggregator);
  const reader = new MetricSetReader(sink, {
    clock,
    startMs: 1_787_000_000_000,
    contentOf: async () => "default",
    onNotice: () => undefined,
  });
  return { sink, read: async (body) => await reader.take(decodeUntrusted(body)) };
}

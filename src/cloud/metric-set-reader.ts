/**
 * Reads what k6 sends to its cloud.
 *
 * In:  the bodies of its pushes, in their order. A push may hold several buckets of a series, in any order, and a bucket
 *      that k6 had sent already once more, with what came late.
 * Out: buckets to a `BucketSink`, in the order of their times; then, that time has gone on to the newest one's end.
 *
 * A push does not say what a metric contains, so of metrics that are not k6's own somebody else has to know.
 *
 * Source: k6 `output/cloud/expv2/flush.go`, `mapping.go` (v2.2.0).
 */
import type { Clock } from "../clock.ts";
import { InputError } from "../errors.ts";
import { builtinMetrics } from "../sample/builtin-metrics.ts";
import { type Metric, metricTypes, type ValueKind } from "../sample/metric.ts";
import type { BucketSink, Observations, SampleBucket } from "../sample/sample-bucket.ts";
import { toObservations } from "./hdr-histogram.ts";
import { decodeMetricSet } from "./decode-metric-set.ts";
import type { CloudSeries, MetricSet } from "./metric-set.ts";
import { SeriesTable } from "./series-table.ts";

export interface MetricSetReaderOptions {
  readonly clock: Clock;
  /** Unix milliseconds, not after the first sample: the first bucket begins before. */
  readonly startMs: number;
  /** Of a metric that is not k6's own. Asked once per metric. */
  readonly contentOf: (metric: string) => Promise<ValueKind>;
  /** Something that the user should know; called once per matter. */
  readonly onNotice: (text: string) => void;
}

/** What takes the buckets. */
export type SeriesBuckets = Pick<BucketSink, "series" | "bucket" | "advanceTo">;

/** Below this, k6's buckets are wider than 0.8 % of a value. */
const exactFrom = 0.128;

export class MetricSetReader {
  readonly #sink: SeriesBuckets;
  readonly #options: MetricSetReaderOptions;
  readonly #metrics = new Map<string, { readonly metric: Metric; readonly number: number }>();
  readonly #series = new SeriesTable();
  readonly #inexact = new Set<string>();

  constructor(sink: SeriesBuckets, options: MetricSetReaderOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Reads one push. Not to be called again before it has resolved.
   *
   * @throws InputError if it cannot be understood; then nothing of it has been handed on
   */
  async read(body: Buffer): Promise<void> {
    await this.take(decodeMetricSet(body));
  }

  /** The same of a push that is decoded already. */
  async take({ metrics, aggregationPeriod }: MetricSet): Promise<void> {
    const { clock, startMs: runStartMs } = this.#options;
    const periodMs = aggregationPeriod * 1_000;
    const buckets: { startMs: number; seriesId: number; bucket: SampleBucket }[] = [];
    for (const { name, type, timeSeries } of metrics) {
      const { metric, number } = this.#metrics.get(name) ?? (await this.#learn(name, type));
      if (metric.type !== metricTypes[type - 1]) {
        throw new InputError(
          `the push cannot be read: metric ${JSON.stringify(name)} is a ${metricTypes[type - 1]} and was a ` +
            `${metric.type} before`,
        );
      }
      for (const series of timeSeries) {
        const { labels } = series;
        const seriesId = this.#series.idOf(number, labels, () =>
          this.#sink.series(metric, new Map(labels.map((label) => [label.name, label.value]))),
        );
        for (const { time, bucket } of bucketsOf(series)) {
          if (bucket.type === "trend") this.#lookAt(metric, bucket.observations);
          buckets.push({ startMs: time.seconds * 1_000, seriesId, bucket });
        }
      }
    }
    buckets.sort((a, b) => a.startMs - b.startMs);
    // The last bucket is pushed before it is over.
    const untilNow = (endMs: number): number => Math.min(endMs, clock.nowMs());
    for (const { startMs, seriesId, bucket } of buckets) {
      const firstMs = runStartMs < startMs + periodMs ? Math.max(startMs, runStartMs) : startMs;
      const lastMs = Math.max(firstMs, untilNow(startMs + periodMs - 1));
      this.#sink.bucket(seriesId, firstMs, lastMs, bucket);
    }
    const newest = buckets.at(-1);
    if (newest) this.#sink.advanceTo(untilNow(newest.startMs + periodMs));
  }

  async #learn(name: string, typeNumber: number): Promise<{ metric: Metric; number: number }> {
    // Decoding has refused any other number.
    const type = metricTypes[typeNumber - 1]!;
    const known = builtinMetrics.get(name);
    const metric =
      known?.type === type ? known : { name, type, contains: await this.#options.contentOf(name) };
    const learnt = { metric, number: this.#metrics.size };
    this.#metrics.set(name, learnt);
    return learnt;
  }

  /** Of times, a bucket is a microsecond at least, and that is as good as they are measured. */
  #lookAt({ name, contains }: Metric, { values, min, counts }: Observations): void {
    const isExact = counts.length <= 3 && counts.every((count) => count === 1);
    if (contains === "time" || isExact || this.#inexact.has(name)) return;
    if (min >= 0 && values.every((value) => value === 0 || value >= exactFrom)) return;
    this.#inexact.add(name);
    this.#options.onNotice(
      `k6 sums up values of ${JSON.stringify(name)} below zero or below ${exactFrom} too roughly for quantiles ` +
        "within 1 %; --k6-samples lines reads each by itself",
    );
  }
}

function bucketsOf(series: CloudSeries): { time: { seconds: number }; bucket: SampleBucket }[] {
  const { counterSamples, gaugeSamples, rateSamples, trendHdrSamples } = series;
  const counters = counterSamples?.values.map(({ time, value }) => ({
    time,
    bucket: { type: "counter", sum: value } as const,
  }));
  const gauges = gaugeSamples?.values.map(({ time, last, min, max, count }) => ({
    time,
    // k6 before 1.8.0 has the smallest and the largest in each other's place.
    bucket: { type: "gauge", last, max: Math.max(min, max), count } as const,
  }));
  const rates = rateSamples?.values.map(({ time, nonzeroCount, totalCount }) => ({
    time,
    bucket: { type: "rate", nonzeros: nonzeroCount, zeros: totalCount - nonzeroCount } as const,
  }));
  const trends = trendHdrSamples?.values.map((value) => ({
    time: value.time,
    bucket: { type: "trend", observations: toObservations(value) } as const,
  }));
  return counters ?? gauges ?? rates ?? trends ?? [];
}

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
import protobuf from "protobufjs/minimal.js";
import type { Clock } from "../clock.ts";
import { builtinMetrics } from "../sample/builtin-metrics.ts";
import { ByteView } from "../sample/byte-view.ts";
import { type Metric, metricTypes, type ValueKind } from "../sample/metric.ts";
import { type BucketSink, type Observations, samplesOf } from "../sample/sample-bucket.ts";
import { BucketDecoder, eachBucket } from "./bucket-decoder.ts";
import {
  type CloudMetric,
  decodeMetricSet,
  eachSeries,
  type MetricSet,
  readLabels,
} from "./metric-set.ts";
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
export type SeriesBuckets = Pick<BucketSink, "series" | "bucket" | "dropped" | "advanceTo">;

/** Below this, k6's buckets are wider than 0.8 % of a value. */
const exactFrom = 0.128;

interface KnownMetric {
  readonly metric: Metric;
  /** 0 for the first. */
  readonly number: number;
}

/** For all readers: it is large, and each push is handed on in one go. */
const decoder = new BucketDecoder();

/** Where one bucket lies in a push, and what it is of. */
interface Found {
  readonly seconds: number;
  readonly seriesId: number;
  readonly metric: Metric;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

export class MetricSetReader {
  readonly #sink: SeriesBuckets;
  readonly #options: MetricSetReaderOptions;
  readonly #metrics = new Map<string, KnownMetric>();
  readonly #series = new SeriesTable();
  readonly #inexact = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #infinite = new Set<string>();

  constructor(sink: SeriesBuckets, options: MetricSetReaderOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Reads one push of a k6 of our own. Not to be called again before it has resolved, as `take`.
   *
   * @throws Error if it cannot be understood
   */
  async read(body: Buffer): Promise<void> {
    await this.take(decodeMetricSet(body));
  }

  /** The same of a push that is decoded already. What it has of a metric that was of another type before is dropped. */
  async take(set: MetricSet): Promise<void> {
    const metrics: CloudMetric[] = [];
    for (const one of set.metrics) {
      const { metric } = this.#metrics.get(one.name) ?? (await this.#learn(one.name, one.type));
      if (metricTypes[one.type - 1] === metric.type) metrics.push(one);
      else this.#drop({ ...set, metrics: [one] }, metric);
    }
    this.#handOn({ ...set, metrics });
  }

  #drop(set: MetricSet, { name, type }: Metric): void {
    const reader = protobuf.Reader.create(set.bytes);
    eachSeries(set, reader, (metric, range) => {
      eachBucket(reader, range, (_seconds, start, end) => {
        reader.pos = start;
        const samples = samplesOf(decoder.decode(metric.type, reader, end));
        this.#sink.dropped("series_collision", samples);
      });
    });
    this.#noticeOnce(
      this.#changed,
      name,
      `metric ${JSON.stringify(name)} is a ${type}, and is pushed as one of another type as well, which is dropped`,
    );
  }

  #noticeOnce(told: Set<string>, metric: string, text: string): void {
    if (told.has(metric)) return;
    told.add(metric);
    this.#options.onNotice(text);
  }

  #handOn(set: MetricSet): void {
    const { clock, startMs: runStartMs } = this.#options;
    const periodMs = set.aggregationPeriod * 1_000;
    const reader = protobuf.Reader.create(set.bytes);
    const buckets = this.#find(set, reader);
    buckets.sort((a, b) => a.seconds - b.seconds);
    // The last bucket is pushed before it is over.
    const untilNow = (endMs: number): number => Math.min(endMs, clock.nowMs());
    for (const { seconds, seriesId, metric, type, start, end } of buckets) {
      reader.pos = start;
      const bucket = decoder.decode(type, reader, end);
      if (bucket.type === "trend") this.#lookAt(metric, bucket.observations);
      else if (bucket.type === "counter" && !isFinite(bucket.sum)) this.#tellOfInfinite(metric);
      const startMs = seconds * 1_000;
      const firstMs = runStartMs < startMs + periodMs ? Math.max(startMs, runStartMs) : startMs;
      const lastMs = Math.max(firstMs, untilNow(startMs + periodMs - 1));
      this.#sink.bucket(seriesId, firstMs, lastMs, bucket);
    }
    const newest = buckets.at(-1);
    if (newest) this.#sink.advanceTo(untilNow(newest.seconds * 1_000 + periodMs));
  }

  /** All buckets of a push, in the order of its bytes. */
  #find(set: MetricSet, reader: protobuf.Reader): Found[] {
    const view = new ByteView(set.bytes);
    const found: Found[] = [];
    eachSeries(set, reader, ({ name, type }, range) => {
      // `take` has learnt it.
      const { metric, number } = this.#metrics.get(name)!;
      const { labelsStart, labelsEnd } = range;
      const seriesId = this.#series.idOf(number, view, labelsStart, labelsEnd, () => {
        reader.pos = labelsStart;
        return this.#sink.series(metric, readLabels(reader, labelsEnd));
      });
      eachBucket(reader, range, (seconds, start, end) => {
        found.push({ seconds, seriesId, metric, type, start, end });
      });
    });
    return found;
  }

  async #learn(name: string, typeNumber: number): Promise<KnownMetric> {
    const type = metricTypes[typeNumber - 1];
    if (type === undefined) {
      throw new Error(`metric ${JSON.stringify(name)} is of type ${typeNumber}, expected 1 to 4`);
    }
    const known = builtinMetrics.get(name);
    const metric =
      known?.type === type ? known : { name, type, contains: await this.#options.contentOf(name) };
    const learnt = { metric, number: this.#metrics.size };
    this.#metrics.set(name, learnt);
    return learnt;
  }

  /** Of times, a bucket is a microsecond at least, and that is as good as they are measured. */
  #lookAt({ name, contains }: Metric, { size, values, count, min }: Observations): void {
    if ((contains === "time" && min >= 0) || this.#inexact.has(name)) return;
    let isFine = min >= 0;
    for (let at = 0; at < size; at++) {
      const value = values[at] ?? 0;
      isFine &&= value === 0 || value >= exactFrom;
    }
    // Up to three are known exactly.
    if (isFine || count <= 3) return;
    this.#noticeOnce(
      this.#inexact,
      name,
      `k6 sums up values of ${JSON.stringify(name)} below zero or below ${exactFrom} too roughly for quantiles ` +
        "within 1 %; --k6-samples lines reads each by itself",
    );
  }

  #tellOfInfinite({ name }: Metric): void {
    this.#noticeOnce(
      this.#infinite,
      name,
      `counter ${JSON.stringify(name)} was given an infinite value: what else it counted in the same second is not known, ` +
        "and that second is dropped as one sample (not_finite); --k6-samples lines drops the value alone",
    );
  }
}

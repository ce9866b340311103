/**
 * The running aggregate of all k6 series that feed the same outputs, and the points that it becomes.
 *
 * Values are cumulative since the start of the run. Before its first point a counter or histogram says once that
 * it was zero, a millisecond before its first sample, so that `increase()` sees all of it.
 */
import type { MetricType } from "../sample/metric.ts";
import { createSampleBlock, type DropReason, type SampleBlock } from "../sample/sample.ts";
import type { Observations, SampleBucket } from "../sample/sample-bucket.ts";
import { ClassicBuckets, classicBounds } from "./classic-buckets.ts";
import { ExponentialHistogram } from "./exponential-histogram.ts";
import type { MappedSeries } from "./series-mapper.ts";
import type { PointSink } from "./series-point.ts";

const single = createSampleBlock(1);
const emptyHistogram = new ExponentialHistogram();

/** What of a bucket is not aggregated. */
export interface DroppedSamples {
  readonly reason: DropReason;
  readonly samples: number;
}

/** Plain fields, all initialised: one shape for every type of metric keeps the hot loop monomorphic. */
export class Sink {
  readonly mapped: MappedSeries;
  readonly type: MetricType;
  /** From k6's unit to the series' unit. */
  readonly #divisor: number;
  /** Counter: sum. Gauge: last value. Rate: non-zero samples. */
  value = 0;
  /** Rate: samples that are zero. */
  zeros = 0;
  /** Gauge: the time of its value, and the largest value so far. */
  valueTimestampMs = 0;
  peak: number = -Infinity;
  readonly trend: ExponentialHistogram | undefined;
  readonly #classic: ClassicBuckets | undefined;
  /** Whether there is something that no point has said yet. */
  isChanged = false;
  /** When the series was zero; 0 until that was said. */
  startMs = 0;
  /** The last point's time; 0 before the first. */
  lastPointMs = 0;
  #firstSampleMs = Infinity;

  constructor(mapped: MappedSeries) {
    const { metric, outputs } = mapped;
    this.mapped = mapped;
    this.type = metric.type;
    this.#divisor = metric.type === "trend" && metric.contains === "time" ? 1_000 : 1;
    this.trend = metric.type === "trend" ? new ExponentialHistogram() : undefined;
    this.#classic = outputs.some(({ role }) => role === "bucket")
      ? new ClassicBuckets(classicBounds(metric.contains))
      : undefined;
  }

  /** Adds the sample at a place in a block, whose value is finite, or says why it cannot. */
  add(block: SampleBlock, at: number): DropReason | undefined {
    const timestampMs = block.timestampsMs[at] ?? 0;
    const value = block.values[at] ?? 0;
    if (this.type === "trend") {
      // There is a trend where the type is trend.
      if (!this.trend!.observeAt(block.values, at, this.#divisor)) return "not_finite";
      this.#classic?.observe(value / this.#divisor);
    } else if (this.type === "rate") {
      if (value === 0) this.zeros++;
      else this.value++;
    } else if (this.type === "counter") {
      if (value < 0) return "negative_counter";
      if (!isFinite(this.value + value)) return "not_finite";
      this.value += value;
    } else {
      if (timestampMs >= this.valueTimestampMs) {
        this.value = value;
        this.valueTimestampMs = timestampMs;
      }
      if (value > this.peak) this.peak = value;
    }
    this.#change(timestampMs);
    return undefined;
  }

  /** Adds what it can of a bucket, and says what it cannot. The bucket's type is the sink's. */
  addBucket(timestampMs: number, bucket: SampleBucket): DroppedSamples | undefined {
    switch (bucket.type) {
      case "counter":
        return this.#addOne(timestampMs, bucket.sum, 1);
      case "gauge":
        return this.#addGauge(timestampMs, bucket);
      case "rate":
        this.value += bucket.nonzeros;
        this.zeros += bucket.zeros;
        this.#change(timestampMs);
        return undefined;
      case "trend":
        return this.#addObservations(timestampMs, bucket.observations);
    }
  }

  #addGauge(
    timestampMs: number,
    { last, max, count }: Extract<SampleBucket, { type: "gauge" }>,
  ): DroppedSamples | undefined {
    const dropped = this.#addOne(timestampMs, last, count);
    if (dropped) return dropped;
    // Which it was and how often, nobody knows: once, at least.
    if (max === Infinity) return { reason: "not_finite", samples: 1 };
    if (max > this.peak) this.peak = max;
    return undefined;
  }

  #addObservations(timestampMs: number, observations: Observations): DroppedSamples | undefined {
    const { size, values, counts, count, sum } = observations;
    let infinite = 0;
    for (let at = 0; at < size; at++) {
      if (!isFinite(values[at] ?? 0)) infinite += counts[at] ?? 0;
    }
    // There is a trend where the type is trend.
    const trend = this.trend!;
    if (infinite === count || !isFinite(trend.sum + sum)) {
      return { reason: "not_finite", samples: count };
    }
    trend.observeAll(observations, this.#divisor);
    for (let at = 0; this.#classic && at < size; at++) {
      const value = values[at] ?? 0;
      if (isFinite(value)) this.#classic.observe(value / this.#divisor, counts[at]);
    }
    this.#change(timestampMs);
    return infinite > 0 ? { reason: "not_finite", samples: infinite } : undefined;
  }

  /** The one value that stands for `samples`. */
  #addOne(timestampMs: number, value: number, samples: number): DroppedSamples | undefined {
    if (!isFinite(value)) return { reason: "not_finite", samples };
    single.timestampsMs[0] = timestampMs;
    single.values[0] = value;
    const reason = this.add(single, 0);
    return reason && { reason, samples };
  }

  #change(timestampMs: number): void {
    this.isChanged = true;
    if (this.startMs === 0 && timestampMs < this.#firstSampleMs) this.#firstSampleMs = timestampMs;
  }

  /**
   * Says that the cumulative series were zero right before their first sample, but not before `earliestMs`, which is
   * before `endMs`. Returns whether there was anything to say.
   */
  writeZero(points: PointSink, earliestMs: number, endMs: number): boolean {
    this.startMs = Math.min(endMs - 1, Math.max(earliestMs, this.#firstSampleMs - 1));
    let hasWritten = false;
    for (const { role, series } of this.mapped.outputs) {
      if (role === "value" || role === "rate" || role === "stat") continue;
      hasWritten = true;
      if (role === "native") points.histogram(series, this.startMs, emptyHistogram, 0);
      else points.float(series, this.startMs, 0, 0);
    }
    return hasWritten;
  }

  /** Writes a point of each series. */
  write(points: PointSink, endMs: number): void {
    this.lastPointMs = endMs;
    this.isChanged = false;
    const { startMs } = this;
    const trend = this.trend ?? emptyHistogram;
    let below = 0;
    let nextBound = 0;
    for (const output of this.mapped.outputs) {
      const { series } = output;
      switch (output.role) {
        case "total":
        case "nonzero":
          points.float(series, endMs, this.value, startMs);
          break;
        case "zero":
          points.float(series, endMs, this.zeros, startMs);
          break;
        case "value":
          points.float(series, endMs, this.value, 0);
          break;
        case "rate":
          points.float(series, endMs, this.value / (this.value + this.zeros), 0);
          break;
        case "sum":
          points.float(series, endMs, trend.sum, startMs);
          break;
        case "count":
          points.float(series, endMs, trend.count, startMs);
          break;
        case "bucket":
          // A relabelling rule may have dropped the buckets before this one.
          while (nextBound <= output.bound) below += this.#classic?.counts[nextBound++] ?? 0;
          points.float(series, endMs, below, startMs);
          break;
        case "native":
          points.histogram(series, endMs, trend, startMs);
          break;
        case "stat":
          points.float(series, endMs, output.stat.of(trend), 0);
          break;
      }
    }
  }

  /** Ends each series. */
  writeStale(points: PointSink, timestampMs: number): void {
    for (const { series } of this.mapped.outputs) points.stale(series, timestampMs);
  }
}

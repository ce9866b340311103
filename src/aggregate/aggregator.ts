/**
 * Samples in, one point per series and push interval out.
 *
 * Event time decides: a sample belongs to the interval of its own timestamp. An interval closes when a sample
 * has been seen that is newer than its end by the allowed lateness (or when the caller says that so much time
 * has passed), and its points carry its end as their timestamp. Samples of intervals that are not open yet wait;
 * samples of closed intervals go into the open one, so cumulative values lose nothing. The same samples in the
 * same order therefore give the same points, live or a year later.
 *
 * Values are cumulative since the start of the run. The first point of a counter or histogram is preceded by a
 * zero one interval earlier, and every series has a point in the last interval, so that `increase()` over the run
 * is the total.
 */
import type { Clock } from "../clock.ts";
import type { Metric, MetricType } from "../sample/metric.ts";
import type { DropReason, SampleSink, Tags } from "../sample/sample.ts";
import { ClassicBuckets, classicBounds } from "./classic-buckets.ts";
import { ExponentialHistogram } from "./exponential-histogram.ts";
import { PendingSamples } from "./pending-samples.ts";
import type { MappedSeries, SeriesMapper } from "./series-mapper.ts";
import type { OutputSeries, PointSink } from "./series-point.ts";

/** k6's first release was in 2016: an earlier time is a broken clock, not an old run. */
const oldestTimestampMs = Date.UTC(2000, 0, 1);
/** Receivers refuse what is further in the future. Source: Prometheus `storage/remote/write_handler.go`. */
const futureLimitMs = 10 * 60_000;
/** Idle series are sent again this often: well within the 5 minutes after which Prometheus forgets them. */
const refreshMs = 60_000;
/** A gap longer than this is skipped: nothing looks back further, so there is nothing to keep alive. */
const longestRefreshedGapMs = 5 * 60_000;

const emptyHistogram = new ExponentialHistogram();

export interface AggregatorOptions {
  /** Width of an interval; its ends are multiples of it since the epoch. */
  readonly pushIntervalMs: number;
  /** How long after its end an interval stays open for samples that come late. */
  readonly latenessMs: number;
  /** Whether a stale marker ends each series in `finish`. */
  readonly staleMarkers: boolean;
  readonly clock: Clock;
}

/** Where the samples went: `read` = `aggregated` + the sum of `dropped`. */
export interface SampleCounts {
  readonly read: number;
  readonly aggregated: number;
  /** Of those aggregated, the ones whose own interval was closed already. */
  readonly late: number;
  readonly dropped: ReadonlyMap<DropReason, number>;
}

/** All that a run measured of one metric, over all its series. */
export interface MetricTotals {
  readonly metric: Metric;
  /** A counter's sum; a gauge's last value; a rate's non-zero samples; a trend's observations. */
  readonly value: number;
  /** A rate's samples of value zero. */
  readonly zeros: number;
  /** A gauge's largest value. */
  readonly peak: number;
  /** A trend's observations, times in seconds. */
  readonly trend?: ExponentialHistogram;
}

/** One running aggregate. Plain fields, all initialised: one shape for every type keeps the hot loop monomorphic. */
class Sink {
  readonly mapped: MappedSeries;
  readonly type: MetricType;
  /** Factor from k6's unit to the series' unit. */
  readonly divisor: number;
  /** Counter: sum. Gauge: last value. Rate: non-zero samples. */
  value = 0;
  /** Rate: samples that are zero. */
  zeros = 0;
  /** Gauge: the time of its value, and the largest value so far. */
  valueTimestampMs = 0;
  peak = -Infinity;
  readonly trend: ExponentialHistogram | undefined;
  readonly classic: ClassicBuckets | undefined;
  isChanged = false;
  /** When the series was zero; 0 until the first point. */
  startMs = 0;
  lastPointMs = 0;

  constructor(mapped: MappedSeries) {
    const { metric, outputs } = mapped;
    this.mapped = mapped;
    this.type = metric.type;
    this.divisor = metric.type === "trend" && metric.contains === "time" ? 1_000 : 1;
    this.trend = metric.type === "trend" ? new ExponentialHistogram() : undefined;
    this.classic = outputs.some(({ role }) => role === "bucket")
      ? new ClassicBuckets(classicBounds(metric.contains))
      : undefined;
  }
}

export class Aggregator implements SampleSink {
  readonly #mapper: SeriesMapper;
  readonly #points: PointSink;
  readonly #options: AggregatorOptions;
  readonly #sinks: Sink[] = [];
  readonly #sinkIds = new Map<MappedSeries, number>();
  readonly #pending = new PendingSamples();
  readonly #dropped = new Map<DropReason, number>();
  /** Ids at and above this stand for a reason to drop instead of a sink. */
  readonly #dropIds: DropReason[] = [];
  /** End of the open interval; 0 before the first sample. */
  #openEndMs = 0;
  #oldestMs = Infinity;
  #newestMs = 0;
  #newestAllowedMs = 0;
  #read = 0;
  #late = 0;

  constructor(mapper: SeriesMapper, points: PointSink, options: AggregatorOptions) {
    this.#mapper = mapper;
    this.#points = points;
    this.#options = options;
  }

  series(metric: Metric, tags: Tags): number {
    const mapped = this.#mapper.map(metric, tags);
    if (typeof mapped === "string") {
      let index = this.#dropIds.indexOf(mapped);
      if (index < 0) index = this.#dropIds.push(mapped) - 1;
      // Negative ids: sinks count upwards from 0.
      return -1 - index;
    }
    let id = this.#sinkIds.get(mapped);
    if (id === undefined) {
      id = this.#sinks.push(new Sink(mapped)) - 1;
      this.#sinkIds.set(mapped, id);
    }
    return id;
  }

  sample(seriesId: number, timestampMs: number, value: number): void {
    // NaN and the infinities are the only doubles that differ from themselves.
    if (value - value !== 0) {
      this.dropped("not_finite");
    } else if (!(timestampMs >= oldestTimestampMs) || !this.#isAllowed(timestampMs)) {
      this.dropped("timestamp_out_of_range");
    } else if (seriesId < 0) {
      this.dropped(this.#dropIds[-1 - seriesId] ?? "relabelled_away");
    } else {
      this.#accept(seriesId, timestampMs, value);
    }
  }

  dropped(reason: DropReason): void {
    this.#read++;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** Says that no sample older than this is expected: closes the intervals that end before it. */
  advanceTo(timestampMs: number): void {
    if (this.#openEndMs > 0) this.#closeUntil(timestampMs);
  }

  /** Closes every interval up to the open one, then ends each series. Call it once, after the last sample. */
  finish(): void {
    if (this.#openEndMs === 0) return;
    this.#closeUntil(this.#newestMs);
    // In the last interval every series has a point: behind one that merely stops, `increase()` would guess on.
    for (const sink of this.#sinks) sink.isChanged ||= sink.lastPointMs > 0;
    this.#closeUntil(this.#openEndMs);
    if (!this.#options.staleMarkers) return;
    for (const { mapped, lastPointMs } of this.#sinks) {
      if (lastPointMs === 0) continue;
      for (const { series } of mapped.outputs) this.#points.stale(series, this.endMs);
    }
    this.#points.intervalEnd(this.endMs);
  }

  get counts(): SampleCounts {
    let dropped = 0;
    for (const count of this.#dropped.values()) dropped += count;
    return {
      read: this.#read,
      aggregated: this.#read - dropped,
      late: this.#late,
      dropped: this.#dropped,
    };
  }

  /** The time of the oldest sample that was not late, Unix milliseconds; 0 before the first. */
  get oldestMs(): number {
    return this.#oldestMs === Infinity ? 0 : this.#oldestMs;
  }

  /** The newest sample's own time, Unix milliseconds; 0 before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** The first millisecond after every point so far: when the run's series end. 0 before the first sample. */
  get endMs(): number {
    return this.#openEndMs === 0 ? 0 : this.#openEndMs - this.#options.pushIntervalMs + 1;
  }

  /** Aggregates held: what memory grows with. */
  get size(): number {
    return this.#sinks.length;
  }

  /** What the run has measured so far, per metric, samples that wait for their interval not included. */
  totals(): MetricTotals[] {
    const totals = new Map<string, { -readonly [Key in keyof MetricTotals]: MetricTotals[Key] }>();
    const gaugeTimesMs = new Map<string, number>();
    for (const sink of this.#sinks) {
      const { metric } = sink.mapped;
      let total = totals.get(metric.name);
      if (!total) {
        total = { metric, value: 0, zeros: 0, peak: -Infinity };
        if (sink.trend) total.trend = new ExponentialHistogram();
        totals.set(metric.name, total);
      }
      if (sink.trend) {
        total.trend?.merge(sink.trend);
        total.value += sink.trend.count;
      } else if (sink.type === "gauge") {
        total.peak = Math.max(total.peak, sink.peak);
        if (sink.valueTimestampMs < (gaugeTimesMs.get(metric.name) ?? 0)) continue;
        gaugeTimesMs.set(metric.name, sink.valueTimestampMs);
        total.value = sink.value;
      } else {
        total.value += sink.value;
        total.zeros += sink.zeros;
      }
    }
    return [...totals.values()];
  }

  #isAllowed(timestampMs: number): boolean {
    if (timestampMs <= this.#newestAllowedMs) return true;
    // The clock is asked only when a sample is newer than the last answer allows.
    this.#newestAllowedMs = this.#options.clock.nowMs() + futureLimitMs;
    return timestampMs <= this.#newestAllowedMs;
  }

  #accept(seriesId: number, timestampMs: number, value: number): void {
    const { pushIntervalMs, latenessMs } = this.#options;
    if (this.#openEndMs === 0) {
      this.#openEndMs = intervalEnd(timestampMs - latenessMs, pushIntervalMs);
    }
    // A late sample may be of any time, also of a broken clock's: it does not say when the run began.
    if (timestampMs < this.#openEndMs - pushIntervalMs) this.#late++;
    else if (timestampMs < this.#oldestMs) this.#oldestMs = timestampMs;
    if (timestampMs < this.#openEndMs) this.#apply(seriesId, timestampMs, value);
    else this.#pending.push(seriesId, timestampMs, value);
    if (timestampMs > this.#newestMs) {
      this.#newestMs = timestampMs;
      if (timestampMs - latenessMs >= this.#openEndMs) this.#closeUntil(timestampMs - latenessMs);
    }
  }

  #apply(seriesId: number, timestampMs: number, value: number): void {
    // `series` returned the id, so there is a sink.
    const sink = this.#sinks[seriesId]!;
    if (sink.type === "trend") {
      const observation = value / sink.divisor;
      sink.trend?.observe(observation);
      sink.classic?.observe(observation);
    } else if (sink.type === "rate") {
      if (value === 0) sink.zeros++;
      else sink.value++;
    } else if (sink.type === "counter") {
      if (value < 0) {
        this.dropped("negative_counter");
        return;
      }
      if (sink.value + value === Infinity) {
        this.dropped("not_finite");
        return;
      }
      sink.value += value;
    } else {
      if (timestampMs >= sink.valueTimestampMs) {
        sink.value = value;
        sink.valueTimestampMs = timestampMs;
      }
      if (value > sink.peak) sink.peak = value;
    }
    this.#read++;
    sink.isChanged = true;
  }

  /** Closes each interval that ends at or before `watermarkMs`. */
  #closeUntil(watermarkMs: number): void {
    const { pushIntervalMs } = this.#options;
    while (this.#openEndMs <= watermarkMs) {
      this.#emitInterval(this.#openEndMs);
      const nextEndMs = this.#openEndMs + pushIntervalMs;
      const oldestPendingMs = Math.min(this.#pending.oldestMs, watermarkMs);
      this.#openEndMs =
        oldestPendingMs - nextEndMs > longestRefreshedGapMs
          ? intervalEnd(oldestPendingMs, pushIntervalMs)
          : nextEndMs;
      this.#pending.takeBefore(this.#openEndMs, (seriesId, timestampMs, value) =>
        this.#apply(seriesId, timestampMs, value),
      );
    }
  }

  #emitInterval(endMs: number): void {
    let hasPoints = false;
    // Always in the same order, so that requests repeat themselves, which the encoder makes use of.
    for (const sink of this.#sinks) {
      const isDue = sink.lastPointMs > 0 && endMs - sink.lastPointMs >= refreshMs;
      if (!sink.isChanged && !isDue) continue;
      this.#emit(sink, endMs);
      sink.isChanged = false;
      hasPoints = true;
    }
    if (hasPoints) this.#points.intervalEnd(endMs);
  }

  #emit(sink: Sink, endMs: number): void {
    const isFirst = sink.startMs === 0;
    if (isFirst) sink.startMs = endMs - this.#options.pushIntervalMs;
    sink.lastPointMs = endMs;
    let below = 0;
    let nextBound = 0;
    for (const output of sink.mapped.outputs) {
      const { series } = output;
      switch (output.role) {
        case "total":
        case "nonzero":
          this.#cumulative(series, sink, endMs, sink.value, isFirst);
          break;
        case "zero":
          this.#cumulative(series, sink, endMs, sink.zeros, isFirst);
          break;
        case "value":
          this.#points.float(series, endMs, sink.value, 0);
          break;
        case "rate":
          this.#points.float(series, endMs, sink.value / (sink.value + sink.zeros), 0);
          break;
        case "sum":
          this.#cumulative(series, sink, endMs, sink.trend?.sum ?? 0, isFirst);
          break;
        case "count":
          this.#cumulative(series, sink, endMs, sink.trend?.count ?? 0, isFirst);
          break;
        case "bucket":
          // A relabelling rule may have dropped the buckets before this one.
          while (nextBound <= output.bound) below += sink.classic?.counts[nextBound++] ?? 0;
          this.#cumulative(series, sink, endMs, below, isFirst);
          break;
        case "native":
          if (isFirst) this.#points.histogram(series, sink.startMs, emptyHistogram, 0);
          this.#points.histogram(series, endMs, sink.trend ?? emptyHistogram, sink.startMs);
          break;
        case "stat":
          this.#points.float(series, endMs, output.stat.of(sink.trend ?? emptyHistogram), 0);
          break;
      }
    }
  }

  #cumulative(
    series: OutputSeries,
    sink: Sink,
    endMs: number,
    value: number,
    isFirst: boolean,
  ): void {
    if (isFirst) this.#points.float(series, sink.startMs, 0, 0);
    this.#points.float(series, endMs, value, sink.startMs);
  }
}

/** The end of the interval that holds a time. */
function intervalEnd(timestampMs: number, intervalMs: number): number {
  return (Math.floor(timestampMs / intervalMs) + 1) * intervalMs;
}

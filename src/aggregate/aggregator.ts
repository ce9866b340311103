/**
 * Samples in, one point per series and push interval out.
 *
 * Event time decides: a sample belongs to the interval of its own timestamp. An interval closes when a sample
 * has been seen that is newer than its end by the allowed lateness (or when the caller says that so much time
 * has passed), and its points carry its end as their timestamp. Samples of intervals that are not open yet wait;
 * samples of closed intervals go into the open one, so cumulative values lose nothing. The last interval ends
 * right after the last sample. The same samples in the same order therefore give the same points, live or a year
 * later.
 */
import type { Clock } from "../clock.ts";
import type { Metric } from "../sample/metric.ts";
import {
  createSampleBlock,
  type DropReason,
  type SampleBlock,
  type Tags,
} from "../sample/sample.ts";
import { type BucketSink, type SampleBucket, samplesOf } from "../sample/sample-bucket.ts";
import { type MetricTotals, totalsOf } from "./metric-totals.ts";
import { PendingSamples } from "./pending-samples.ts";
import type { MappedSeries, SeriesMapper } from "./series-mapper.ts";
import type { PointSink } from "./series-point.ts";
import { Sink } from "./sink.ts";

/** k6's first release was in 2016: an earlier time is a broken clock, not an old run. */
const oldestTimestampMs = Date.UTC(2000, 0, 1);
/**
 * Two clocks may differ by this much. Receivers take points of up to ten minutes ahead, but one sample of then would
 * carry all later ones with it. Source of the ten minutes: Prometheus `storage/remote/write_handler.go`.
 */
const futureLimitMs = 60_000;
/**
 * Idle series are sent again this often, so that a rate over 20 s, Grafana's shortest at the usual 5 s between scrapes, has
 * two points of each: a failure every half a minute would otherwise be in no curve. Staleness (5 minutes) asks for less.
 */
const refreshMs = 10_000;
/** A gap longer than this is skipped: nothing looks back further, so there is nothing to keep alive. */
const longestRefreshedGapMs = 5 * 60_000;

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

export class Aggregator implements BucketSink {
  readonly #mapper: SeriesMapper;
  readonly #points: PointSink;
  readonly #options: AggregatorOptions;
  readonly #sinks: Sink[] = [];
  readonly #sinkIds = new Map<MappedSeries, number>();
  readonly #pending = new PendingSamples();
  readonly #single = createSampleBlock(1);
  readonly #dropped = new Map<DropReason, number>();
  /** What negative ids stand for: a reason to drop instead of a sink. */
  readonly #dropIds: DropReason[] = [];
  /** End of the open interval; 0 before the first sample. */
  #openEndMs = 0;
  /** What `finish` has written is before this; 0 before it is called. */
  #endMs = 0;
  #oldestMs = Infinity;
  #newestMs = 0;
  #hasBuckets = false;
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
    const { seriesIds, timestampsMs, values } = this.#single;
    seriesIds[0] = seriesId;
    timestampsMs[0] = timestampMs;
    values[0] = value;
    this.#take(this.#single, 0);
  }

  sampleBlock(block: SampleBlock, count: number): void {
    for (let at = 0; at < count; at++) this.#take(block, at);
  }

  bucket(seriesId: number, startMs: number, lastMs: number, bucket: SampleBucket): void {
    const samples = samplesOf(bucket);
    if (!(startMs >= oldestTimestampMs) || !this.#isAllowed(lastMs)) {
      this.#drop("timestamp_out_of_range", samples);
      return;
    }
    if (seriesId < 0) {
      this.#drop(this.#dropIds[-1 - seriesId] ?? "relabelled_away", samples);
      return;
    }
    const { pushIntervalMs } = this.#options;
    if (this.#openEndMs === 0) this.#openEndMs = intervalEnd(startMs, pushIntervalMs);
    this.#closeUntil(startMs);
    // `series` returned the id, so there is a sink.
    const dropped = this.#sinks[seriesId]!.addBucket(startMs, bucket);
    if (dropped !== undefined) this.#drop(dropped.reason, dropped.samples);
    const added = samples - (dropped?.samples ?? 0);
    if (added === 0) return;
    this.#hasBuckets = true;
    this.#read += added;
    if (startMs < this.#openEndMs - pushIntervalMs) this.#late += added;
    else if (startMs < this.#oldestMs) this.#oldestMs = startMs;
    if (lastMs > this.#newestMs) this.#newestMs = lastMs;
  }

  dropped(reason: DropReason, samples: number = 1): void {
    this.#drop(reason, samples);
  }

  /** Says that no sample older than this is expected: closes the intervals that end before it. */
  advanceTo(timestampMs: number): void {
    if (this.#openEndMs > 0) this.#closeUntil(timestampMs);
  }

  /**
   * Closes the last interval right after the newest sample, and ends each series. Call it after the last sample, and
   * again if others came all the same: they are late, and their series go on. Returns the millisecond in which the
   * series end, the first after every point; undefined if there is no point.
   */
  finish(): number | undefined {
    if (this.#openEndMs === 0) return undefined;
    const { pushIntervalMs, staleMarkers } = this.#options;
    this.#closeUntil(this.#newestMs);
    // The clock may have closed intervals that are later than the newest sample.
    const lastMs = Math.max(this.#newestMs, this.#openEndMs - pushIntervalMs, this.#endMs) + 1;
    // In the last interval every series has a point: behind one that merely stops, `increase()` would guess on.
    for (const sink of this.#sinks) sink.isChanged ||= sink.lastPointMs > 0;
    this.#writeInterval(lastMs);
    const written = this.#sinks.filter(({ lastPointMs }) => lastPointMs > 0);
    if (written.length === 0) return undefined;
    if (staleMarkers) {
      for (const sink of written) sink.writeStale(this.#points, lastMs + 1);
      this.#points.intervalEnd(lastMs + 1);
    }
    // What the caller writes at the end of the series is behind the marker.
    this.#endMs = lastMs + 2;
    this.#openEndMs = intervalEnd(this.#endMs, pushIntervalMs);
    return lastMs + 1;
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

  /** Whether samples have come summed up. */
  get hasBuckets(): boolean {
    return this.#hasBuckets;
  }

  /** What the run has measured so far, per metric, samples that wait for their interval not included. */
  totals(): MetricTotals[] {
    return totalsOf(this.#sinks);
  }

  #drop(reason: DropReason, samples: number): void {
    this.#read += samples;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + samples);
  }

  /** Like what follows, it is told where the sample is: a double as an argument may cost an object. */
  #take(block: SampleBlock, at: number): void {
    const timestampMs = block.timestampsMs[at] ?? NaN;
    const value = block.values[at] ?? NaN;
    const seriesId = block.seriesIds[at] ?? 0;
    // NaN and the infinities are the only doubles that differ from themselves.
    if (value - value !== 0) {
      this.dropped("not_finite");
    } else if (
      !(timestampMs >= oldestTimestampMs) ||
      (timestampMs > this.#newestAllowedMs && !this.#isAllowed(timestampMs))
    ) {
      this.dropped("timestamp_out_of_range");
    } else if (seriesId < 0) {
      this.dropped(this.#dropIds[-1 - seriesId] ?? "relabelled_away");
    } else {
      this.#accept(block, at);
    }
  }

  /** The clock is asked only when a sample is newer than the last answer allows. */
  #isAllowed(timestampMs: number): boolean {
    this.#newestAllowedMs = this.#options.clock.nowMs() + futureLimitMs;
    return timestampMs <= this.#newestAllowedMs;
  }

  #accept(block: SampleBlock, at: number): void {
    const timestampMs = block.timestampsMs[at] ?? 0;
    const { pushIntervalMs, latenessMs } = this.#options;
    if (this.#openEndMs === 0) {
      this.#openEndMs = intervalEnd(timestampMs - latenessMs, pushIntervalMs);
    }
    if (timestampMs < this.#openEndMs) {
      const isLate = timestampMs < this.#openEndMs - pushIntervalMs;
      if (this.#add(block, at) && isLate) this.#late++;
      // A late sample may be of any time, also of a broken clock's: it does not say when the run began.
      if (!isLate && timestampMs < this.#oldestMs) this.#oldestMs = timestampMs;
    } else {
      this.#pending.push(block, at);
      if (timestampMs < this.#oldestMs) this.#oldestMs = timestampMs;
    }
    if (timestampMs > this.#newestMs) this.#goOn(block, at);
  }

  /** Time goes on to a sample's. Apart from `#accept`, whose compiled code would make an object per sample with it. */
  #goOn(block: SampleBlock, at: number): void {
    const { latenessMs } = this.#options;
    this.#newestMs = block.timestampsMs[at] ?? 0;
    const watermarkMs = this.#newestMs - latenessMs;
    if (watermarkMs >= this.#openEndMs) this.#closeUntil(watermarkMs);
  }

  /** Whether the sample is part of its sink now; otherwise it is counted as dropped. */
  #add(block: SampleBlock, at: number): boolean {
    // `series` returned the id, so there is a sink.
    const reason = this.#sinks[block.seriesIds[at] ?? 0]!.add(block, at);
    if (reason !== undefined) {
      this.dropped(reason);
      return false;
    }
    this.#read++;
    return true;
  }

  /** Closes each interval that ends at or before `watermarkMs`. */
  #closeUntil(watermarkMs: number): void {
    const { pushIntervalMs } = this.#options;
    while (this.#openEndMs <= watermarkMs) {
      this.#writeInterval(this.#openEndMs);
      const nextEndMs = this.#openEndMs + pushIntervalMs;
      const oldestPendingMs = Math.min(this.#pending.oldestMs, watermarkMs);
      this.#openEndMs =
        oldestPendingMs - nextEndMs > longestRefreshedGapMs
          ? intervalEnd(oldestPendingMs, pushIntervalMs)
          : nextEndMs;
      this.#pending.takeBefore(this.#openEndMs, (block, at) => {
        this.#add(block, at);
      });
    }
  }

  #writeInterval(endMs: number): void {
    const startMs = endMs - this.#options.pushIntervalMs;
    let hasZeros = false;
    const sinks = this.#sinks;
    // Not `for … of`, whose iterator costs an object per step where it is not inlined.
    for (let i = 0; i < sinks.length; i++) {
      const sink = sinks[i]!;
      if (!sink.isChanged || sink.startMs > 0) continue;
      if (sink.writeZero(this.#points, startMs, endMs)) hasZeros = true;
    }
    // A request that has to be repeated is accepted again if each of its points is its series' newest.
    if (hasZeros) this.#points.requestEnd();
    let hasPoints = false;
    // Always in the same order, so that requests repeat themselves, which the encoder makes use of.
    for (let i = 0; i < sinks.length; i++) {
      const sink = sinks[i]!;
      const isDue = sink.lastPointMs > 0 && endMs - sink.lastPointMs >= refreshMs;
      if (!sink.isChanged && !isDue) continue;
      sink.write(this.#points, endMs);
      hasPoints = true;
    }
    if (hasPoints) this.#points.intervalEnd(endMs);
  }
}

/** The end of the interval that holds a time. */
function intervalEnd(timestampMs: number, intervalMs: number): number {
  return (Math.floor(timestampMs / intervalMs) + 1) * intervalMs;
}

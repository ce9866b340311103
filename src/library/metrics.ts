/**
 * What a program records with: counters, gauges, rates and trends, each with tags or without.
 *
 * A handle keeps the number of its series, so that a sample recorded with it costs no look-up and makes no object.
 */
import type { Metric } from "../sample/metric.ts";
import type { Recorder, TagValues } from "./recorder.ts";

abstract class Handle {
  protected readonly recorder: Recorder;
  protected readonly metric: Metric;
  readonly #tags: TagValues;
  #seriesId: number | undefined;

  constructor(recorder: Recorder, metric: Metric, tags: TagValues) {
    this.recorder = recorder;
    this.metric = metric;
    this.#tags = tags;
  }

  /** The metric's name, as it was given. */
  get name(): string {
    return this.metric.name;
  }

  protected record(
    value: number | boolean,
    tags: TagValues | undefined,
    timestampMs: number | undefined,
  ): void {
    const seriesId =
      tags === undefined
        ? (this.#seriesId ??= this.recorder.series(this.metric, this.#tags))
        : this.recorder.series(this.metric, this.merged(tags));
    this.recorder.record(seriesId, value, timestampMs);
  }

  protected merged(tags: TagValues): TagValues {
    return { ...this.#tags, ...tags };
  }
}

/** A sum that only grows, e.g. requests or bytes: `k6_<name>_total`. */
export class Counter extends Handle {
  /**
   * @param value Default 1. A value below zero is dropped and counted.
   * @param timestampMs Unix milliseconds of the sample. Default: now.
   * @throws UsageError after `finish`
   */
  add(value = 1, tags?: TagValues, timestampMs?: number): void {
    this.record(value, tags, timestampMs);
  }

  /** The same counter with these tags, and those that it has already. Keep it: adding to it is fastest. */
  with(tags: TagValues): Counter {
    return new Counter(this.recorder, this.metric, this.merged(tags));
  }
}

/** A value that goes up and down, of which the newest counts, e.g. users at work: `k6_<name>`. */
export class Gauge extends Handle {
  /**
   * @param timestampMs Unix milliseconds of the sample. Default: now.
   * @throws UsageError after `finish`
   */
  set(value: number, tags?: TagValues, timestampMs?: number): void {
    this.record(value, tags, timestampMs);
  }

  /** The same gauge with these tags, and those that it has already. Keep it: setting it is fastest. */
  with(tags: TagValues): Gauge {
    return new Gauge(this.recorder, this.metric, this.merged(tags));
  }
}

/**
 * How often something was so, e.g. checks that passed: `k6_<name>_total{condition="nonzero"|"zero"}` and
 * `k6_<name>_rate`, from 0 to 1.
 */
export class Rate extends Handle {
  /**
   * @param value `true`, or any number but 0, is so.
   * @param timestampMs Unix milliseconds of the sample. Default: now.
   * @throws UsageError after `finish`
   */
  add(value: boolean | number, tags?: TagValues, timestampMs?: number): void {
    this.record(value, tags, timestampMs);
  }

  /** The same rate with these tags, and those that it has already. Keep it: adding to it is fastest. */
  with(tags: TagValues): Rate {
    return new Rate(this.recorder, this.metric, this.merged(tags));
  }
}

/** A distribution, e.g. of durations: a histogram, `k6_<name>_seconds` where it contains times. */
export class Trend extends Handle {
  /**
   * @param value In milliseconds where the trend contains times, in bytes where it contains data.
   * @param timestampMs Unix milliseconds of the sample. Default: now.
   * @throws UsageError after `finish`
   */
  add(value: number, tags?: TagValues, timestampMs?: number): void {
    this.record(value, tags, timestampMs);
  }

  /** The same trend with these tags, and those that it has already. Keep it: adding to it is fastest. */
  with(tags: TagValues): Trend {
    return new Trend(this.recorder, this.metric, this.merged(tags));
  }
}

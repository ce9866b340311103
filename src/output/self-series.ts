/**
 * Plimsoll's own metrics as points of the run: its delivery and its generator's health are in the store with it,
 * without anybody who scrapes.
 *
 * In:  the table of `self-metrics.ts`. Out: points, in event time. Counters and histograms are preceded by a zero.
 * The last ones are written when all before them is delivered, so that what is stored is an account of it.
 */
import type { MetricFamily, OutputSeries, PointSink } from "../aggregate/series-point.ts";
import { toLabels } from "../encode/labels.ts";
import type { OutputProgress } from "./output-progress.ts";
import { selfMetrics, type SelfMetric } from "./self-metrics.ts";

/** As often as Prometheus usually scrapes. Source: its documentation's examples, and `plimsoll up`. */
const writeIntervalMs = 5_000;

export interface SelfSeriesOptions {
  /** Of every series. */
  readonly labels: Readonly<Record<string, string>>;
  readonly nextId: () => number;
}

interface KnownSeries {
  readonly series: OutputSeries;
  /** When a counter was zero; 0 for a gauge. */
  readonly zeroMs: number;
}

export class SelfSeries {
  readonly #points: PointSink;
  readonly #options: SelfSeriesOptions;
  readonly #families = new Map<SelfMetric, MetricFamily>();
  readonly #known = new Map<string, KnownSeries>();
  #lastMs = 0;

  constructor(points: PointSink, options: SelfSeriesOptions) {
    this.#points = points;
    this.#options = options;
  }

  isDue(timestampMs: number): boolean {
    return timestampMs - this.#lastMs >= writeIntervalMs;
  }

  /**
   * Writes a point of each series, later than all before.
   *
   * @param startMs When the run began, Unix milliseconds: counters were zero right before. 0 if it did not.
   */
  write(timestampMs: number, startMs: number, progress: OutputProgress): void {
    // Of a counter that appears later, when it was not there yet.
    const earlierMs = this.#lastMs > 0 ? this.#lastMs : startMs > 0 ? startMs - 1 : Infinity;
    const zeroMs = Math.min(earlierMs, timestampMs - 1);
    const values = new Map<KnownSeries, number>();
    let hasZeros = false;
    for (const metric of selfMetrics) {
      for (const { labels, suffix = "", value } of metric.values(progress)) {
        const key = JSON.stringify([metric.name + suffix, labels]);
        let known = this.#known.get(key);
        if (!known) {
          const isGauge = metric.kind === "gauge";
          const series = this.#series(metric, suffix, labels);
          known = { series, zeroMs: isGauge ? 0 : zeroMs };
          this.#known.set(key, known);
          if (!isGauge) {
            this.#points.float(series, zeroMs, 0, 0);
            hasZeros = true;
          }
        }
        values.set(known, value);
      }
    }
    // A request holds one point of a series, so that it can be repeated.
    if (hasZeros) this.#points.requestEnd();
    for (const known of this.#known.values()) {
      // Only a gauge has values that end: a state that is over.
      this.#points.float(known.series, timestampMs, values.get(known) ?? 0, known.zeroMs);
    }
    this.#lastMs = timestampMs;
  }

  /** Ends each series: a gauge of a run that is over says nothing any more. */
  end(timestampMs: number): void {
    for (const { series } of this.#known.values()) this.#points.stale(series, timestampMs);
  }

  #series(
    metric: SelfMetric,
    suffix: string,
    labels: Readonly<Record<string, string>>,
  ): OutputSeries {
    const { name, help, kind } = metric;
    let family = this.#families.get(metric);
    if (!family) {
      const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1] ?? "";
      family = { name, type: kind, help, unit };
      this.#families.set(metric, family);
    }
    const own = Object.entries({ ...labels, ...this.#options.labels });
    return {
      id: this.#options.nextId(),
      labels: toLabels([{ name: "__name__", value: name + suffix }], new Map(own)),
      family,
      isNative: false,
    };
  }
}

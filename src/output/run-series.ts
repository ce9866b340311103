/**
 * The run's own few series, kept for years: what it was, when, how it ended, what it measured.
 *
 * Wraps the stream of points and adds to it, in event time: the first interval brings what is known at the
 * start, each later minute repeats it so that it stays alive, and `finish` brings the rest. They get no stale
 * marker: a run that is over stays the last thing that is known about it.
 *
 * docs/metrics.md has a row for each.
 */
import type { SampleCounts } from "../aggregate/aggregator.ts";
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { NativeHistogram } from "../aggregate/exponential-histogram.ts";
import type { Label, OutputSeries, PointSink } from "../aggregate/series-point.ts";
import { toLabels } from "../encode/labels.ts";
import type { GeneratorCount } from "../runs/generator-count.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import type { RunState } from "../runs/run-state.ts";
import type { Tags } from "../sample/sample.ts";

/** Well within the 5 minutes after which Prometheus forgets a series. */
const repeatMs = 60_000;

/** The series by name, with what Prometheus is told about them. */
export const runFamilies = {
  plimsoll_run_info: "a run, with what is known about it as labels; always 1",
  plimsoll_run_state: "1 for the state that the run is in, 0 for a state that it was in",
  plimsoll_run_start_time_seconds: "time of the run's first sample",
  plimsoll_run_end_time_seconds: "time of the run's last sample",
  plimsoll_run_summary: "what the run measured of a metric, over all its series; times in seconds",
  plimsoll_run_generator_count:
    "what the generator itself counted of a metric, apart from its samples",
  plimsoll_run_samples: "samples of the run, by what became of them",
  plimsoll_threshold_ok: "1 if the threshold passed, 0 if it failed",
} as const;

type FamilyName = keyof typeof runFamilies;

export interface ThresholdResult {
  /** The metric, or submetric with its filter, e.g. `http_req_duration{status:200}`. */
  readonly metric: string;
  /** As written in the script, e.g. `p(95)<500`. */
  readonly threshold: string;
  readonly ok: boolean;
}

/** How a run ended. */
export interface RunEnd {
  readonly state: RunState;
  /** Unix milliseconds of the first and the last sample; undefined for a run without samples. */
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly totals: readonly MetricTotals[];
  /** Absent, and no totals, where they are not of the whole run. */
  readonly samples?: SampleCounts | undefined;
  readonly thresholds: readonly ThresholdResult[];
  /** Absent where the generator did not say: a file of samples holds none. */
  readonly counts?: readonly GeneratorCount[] | undefined;
}

export interface RunSeriesOptions {
  readonly identity: RunIdentity;
  /** Those that tell the generators of one run apart; on every series of the run. */
  readonly generatorLabels: Tags;
  /** Labels of `plimsoll_run_info` beyond the identity. */
  readonly info: Tags;
  readonly nextId: () => number;
  /** Which it is in until `finish`. Default `running`. */
  readonly state?: RunState | undefined;
  /** Unix milliseconds of the first sample; called when the first interval ends. */
  readonly startMs: () => number;
  /** Called before an interval is over, with its end: for points of others that go with it. */
  readonly onInterval?: (timestampMs: number) => void;
}

export class RunSeries implements PointSink {
  readonly #points: PointSink;
  readonly #options: RunSeriesOptions;
  readonly #known = new Map<string, OutputSeries>();
  #lastMs = 0;
  #state: RunState;

  constructor(points: PointSink, options: RunSeriesOptions) {
    this.#points = points;
    this.#options = options;
    this.#state = options.state ?? "running";
  }

  float(series: OutputSeries, timestampMs: number, value: number, startTimestampMs: number): void {
    this.#points.float(series, timestampMs, value, startTimestampMs);
  }

  histogram(
    series: OutputSeries,
    timestampMs: number,
    histogram: NativeHistogram,
    startTimestampMs: number,
  ): void {
    this.#points.histogram(series, timestampMs, histogram, startTimestampMs);
  }

  stale(series: OutputSeries, timestampMs: number): void {
    this.#points.stale(series, timestampMs);
  }

  requestEnd(): void {
    this.#points.requestEnd();
  }

  intervalEnd(timestampMs: number): void {
    if (timestampMs - this.#lastMs >= repeatMs) {
      this.#writeStart(timestampMs, this.#options.startMs());
      this.#write("plimsoll_run_state", { state: this.#state }, timestampMs, 1);
    }
    this.#options.onInterval?.(timestampMs);
    this.#points.intervalEnd(timestampMs);
  }

  /** Writes how the run ended, and again after late samples. `timestampMs` is later than every point so far. */
  finish(timestampMs: number, end: RunEnd): void {
    const { state, startMs, endMs, totals, thresholds, samples, counts = [] } = end;
    if (startMs !== undefined && endMs !== undefined) {
      this.#writeStart(timestampMs, startMs);
      this.#write("plimsoll_run_end_time_seconds", {}, timestampMs, endMs / 1_000);
      this.#write("plimsoll_run_state", { state: "running" }, timestampMs, 0);
    } else {
      this.#write("plimsoll_run_info", this.#options.info, timestampMs, 1);
    }
    this.#state = state;
    this.#write("plimsoll_run_state", { state }, timestampMs, 1);
    for (const total of totals) {
      for (const [stat, value] of summaryOf(total)) {
        const labels = { metric: total.metric.name, stat };
        this.#write("plimsoll_run_summary", labels, timestampMs, value);
      }
    }
    for (const { metric, stat, value } of counts) {
      this.#write("plimsoll_run_generator_count", { metric, stat }, timestampMs, value);
    }
    if (samples) this.#writeSamples(timestampMs, samples);
    for (const { metric, threshold, ok } of thresholds) {
      this.#write("plimsoll_threshold_ok", { metric, threshold }, timestampMs, ok ? 1 : 0);
    }
    this.#points.intervalEnd(timestampMs);
  }

  #writeSamples(timestampMs: number, { read, aggregated, dropped }: SampleCounts): void {
    this.#write("plimsoll_run_samples", { outcome: "read" }, timestampMs, read);
    this.#write("plimsoll_run_samples", { outcome: "aggregated" }, timestampMs, aggregated);
    for (const [reason, count] of dropped) {
      this.#write("plimsoll_run_samples", { outcome: "dropped", reason }, timestampMs, count);
    }
  }

  #writeStart(timestampMs: number, startMs: number): void {
    this.#lastMs = timestampMs;
    this.#write("plimsoll_run_info", this.#options.info, timestampMs, 1);
    this.#write("plimsoll_run_start_time_seconds", {}, timestampMs, startMs / 1_000);
  }

  #write(
    family: FamilyName,
    labels: Tags | Readonly<Record<string, string>>,
    timestampMs: number,
    value: number,
  ): void {
    const { identity, generatorLabels } = this.#options;
    const own = labels instanceof Map ? labels : new Map(Object.entries(labels));
    const tags = new Map([...generatorLabels, ...own]);
    const { testid, test } = identity;
    const fixed: Label[] = [
      { name: "__name__", value: family },
      { name: "testid", value: testid },
      { name: "test", value: test },
    ];
    const sorted = toLabels(fixed, tags);
    const key = JSON.stringify(sorted);
    let series = this.#known.get(key);
    if (!series) {
      const unit = family.endsWith("_seconds") ? "seconds" : "";
      const help = runFamilies[family];
      series = {
        id: this.#options.nextId(),
        labels: sorted,
        family: { name: family, type: "gauge", help, unit },
        isNative: false,
      };
      this.#known.set(key, series);
    }
    this.#points.float(series, timestampMs, value, 0);
  }
}

/** The statistics of a metric by name: those of k6's own summary, times in seconds. */
export function summaryOf(
  total: MetricTotals,
): readonly (readonly [stat: string, value: number])[] {
  const { metric, value, zeros, peak, trend } = total;
  switch (metric.type) {
    case "counter":
      return [["count", value]];
    case "gauge":
      return Number.isFinite(peak)
        ? [
            ["value", value],
            ["max", peak],
          ]
        : [];
    case "rate": {
      const all = value + zeros;
      const counts = [
        ["nonzero", value],
        ["zero", zeros],
      ] as const;
      return all > 0 ? [["rate", value / all], ...counts] : [];
    }
    case "trend":
      if (!trend || trend.count === 0) return [];
      return [
        ["count", trend.count],
        ["avg", trend.sum / trend.count],
        ["min", trend.min],
        ["med", trend.quantile(0.5)],
        ["max", trend.max],
        ["p90", trend.quantile(0.9)],
        ["p95", trend.quantile(0.95)],
        ["p99", trend.quantile(0.99)],
      ];
  }
}

/**
 * What a run has measured of each metric, over all its series: for progress, summary and reconciliation.
 */
import type { Metric } from "../sample/metric.ts";
import { ExponentialHistogram } from "./exponential-histogram.ts";
import type { Sink } from "./sink.ts";

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

type MutableTotals = { -readonly [Key in keyof MetricTotals]: MetricTotals[Key] };

export function totalsOf(sinks: Iterable<Sink>): MetricTotals[] {
  const totals = new Map<string, MutableTotals>();
  const gaugeTimesMs = new Map<string, number>();
  for (const sink of sinks) {
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

/**
 * The statistics of a trend that can be sent as gauges, named as k6 names them.
 *
 * Source: k6 `internal/output/prometheusrw/remotewrite/config.go`, `trend.go`; `metrics/sink.go`.
 */
import type { ExponentialHistogram } from "./exponential-histogram.ts";

export interface TrendStat {
  /** The suffix of the series' name: `p99`, `avg`. */
  readonly name: string;
  readonly of: (trend: ExponentialHistogram) => number;
  /** Whether the value has the unit of the observations; a count has none. */
  readonly hasUnit: boolean;
}

const plainStats: Record<string, TrendStat> = {
  count: { name: "count", of: (trend) => trend.count, hasUnit: false },
  sum: { name: "sum", of: (trend) => trend.sum, hasUnit: true },
  min: { name: "min", of: (trend) => (trend.count === 0 ? 0 : trend.min), hasUnit: true },
  max: { name: "max", of: (trend) => (trend.count === 0 ? 0 : trend.max), hasUnit: true },
  avg: { name: "avg", of: (trend) => trend.sum / Math.max(1, trend.count), hasUnit: true },
  med: { name: "med", of: (trend) => trend.quantile(0.5), hasUnit: true },
};

/** `count sum min max avg med p(N)` with 0 <= N <= 100; undefined for anything else. */
export function parseTrendStat(text: string): TrendStat | undefined {
  const plain = Object.hasOwn(plainStats, text) ? plainStats[text] : undefined;
  if (plain) return plain;
  const percent = /^p\((\d+(?:\.\d+)?)\)$/.exec(text)?.[1];
  if (percent === undefined || Number(percent) > 100) return undefined;
  const q = Number(percent) / 100;
  return {
    name: `p${percent.replace(".", "")}`,
    of: (trend) => trend.quantile(q),
    hasUnit: true,
  };
}

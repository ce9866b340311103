/**
 * The seam between k6's time series and Prometheus' ones.
 *
 * Aggregation asks a mapper, once per k6 series, which output series its samples feed. Series that map to the
 * same outputs share one sink, so a label that is dropped (`url`, a relabelling rule) sums up as it should.
 */
import type { Metric } from "../sample/metric.ts";
import type { DropReason, Tags } from "../sample/sample.ts";
import type { OutputSeries } from "./series-point.ts";
import type { TrendStat } from "./trend-stat.ts";

/** What a value of a sink becomes. A rate has three roles, a trend one or more. */
export type Output =
  | {
      readonly role: "total" | "value" | "nonzero" | "zero" | "rate" | "native" | "sum" | "count";
      readonly series: OutputSeries;
    }
  /** The cumulative count up to `classicBounds()[bound]`; one past the last bound is `+Inf`. */
  | { readonly role: "bucket"; readonly series: OutputSeries; readonly bound: number }
  | { readonly role: "stat"; readonly series: OutputSeries; readonly stat: TrendStat };

/** Compared by identity: two k6 series with the same object share a sink. */
export interface MappedSeries {
  readonly metric: Metric;
  /** At least one. */
  readonly outputs: readonly Output[];
}

export interface SeriesMapper {
  /** The outputs of a k6 series, or why its samples go nowhere. */
  map(metric: Metric, tags: Tags): MappedSeries | DropReason;
}

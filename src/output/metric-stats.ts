/**
 * What has been counted of a metric, as thresholds compare it: in k6's units, times in milliseconds.
 */
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { MetricStats } from "../runs/threshold-expression.ts";

export function metricStats({ metric, value, zeros, peak, trend }: MetricTotals): MetricStats {
  const { type, contains } = metric;
  switch (type) {
    case "counter":
      return { type, sum: value };
    case "gauge":
      return { type, last: peak === -Infinity ? undefined : value };
    case "rate":
      return { type, nonzero: value, total: value + zeros };
    case "trend": {
      const factor = contains === "time" ? 1_000 : 1;
      // There is a trend where the type is trend.
      const { count, sum, min, max } = trend!;
      return {
        type,
        count,
        sum: sum * factor,
        min: min * factor,
        max: max * factor,
        percentile: (percent) => trend!.quantile(percent / 100) * factor,
      };
    }
  }
}

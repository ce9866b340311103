/**
 * Names of Prometheus series for k6's metrics, the ones that people's dashboards know.
 *
 * Source: k6 `internal/output/prometheusrw/remotewrite/prometheus.go`, `trend.go`; docs/metrics.md has the table.
 */
import type { MetricFamily } from "../aggregate/series-point.ts";
import type { TrendStat } from "../aggregate/trend-stat.ts";
import type { Metric } from "../sample/metric.ts";

/** k6 allows only names that Prometheus allows too; older k6, and its files, had spaces and more in them. */
function baseName({ name }: Metric): string {
  return `k6_${name.replace(/[^a-zA-Z0-9_]/gu, "_")}`;
}

/** The unit in which a trend's series are sent: times in seconds. */
function trendUnit({ contains }: Metric): string {
  if (contains === "time") return "seconds";
  return contains === "data" ? "bytes" : "";
}

/** Counters and gauges stay in k6's unit, as in k6's own output. */
function plainUnit({ contains }: Metric): string {
  if (contains === "time") return "milliseconds";
  return contains === "data" ? "bytes" : "";
}

export function totalFamily(metric: Metric): MetricFamily {
  const help =
    metric.type === "rate"
      ? `samples of the k6 rate ${metric.name}, by whether they are non-zero`
      : `sum of the k6 counter ${metric.name} since the start of the run`;
  const unit = metric.type === "rate" ? "" : plainUnit(metric);
  return { name: `${baseName(metric)}_total`, type: "counter", help, unit };
}

export function gaugeFamily(metric: Metric): MetricFamily {
  const help = `last value of the k6 gauge ${metric.name}`;
  return { name: baseName(metric), type: "gauge", help, unit: plainUnit(metric) };
}

export function rateFamily(metric: Metric): MetricFamily {
  const help = `share of non-zero samples of the k6 rate ${metric.name} since the start of the run`;
  return { name: `${baseName(metric)}_rate`, type: "gauge", help, unit: "" };
}

export function histogramFamily(metric: Metric): MetricFamily {
  const unit = trendUnit(metric);
  const name = `${baseName(metric)}${unit === "" ? "" : `_${unit}`}`;
  return { name, type: "histogram", help: `distribution of the k6 trend ${metric.name}`, unit };
}

export function statFamily(metric: Metric, stat: TrendStat): MetricFamily {
  const help = `${stat.name} of the k6 trend ${metric.name} since the start of the run`;
  const unit = stat.hasUnit ? trendUnit(metric) : "";
  return { name: `${baseName(metric)}_${stat.name}`, type: "gauge", help, unit };
}

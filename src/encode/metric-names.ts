/**
 * The series that k6's built-in metrics become, by name: what a dashboard can ask for, whatever the script.
 *
 * Made by the functions that name the series which are sent. A trend has its series in both forms, native and
 * classic; which of them a store holds is its own matter.
 */
import type { FamilyType, MetricFamily } from "../aggregate/series-point.ts";
import { builtinMetrics } from "../sample/builtin-metrics.ts";
import type { Metric } from "../sample/metric.ts";
import { gaugeFamily, histogramFamily, rateFamily, totalFamily } from "./names.ts";

export interface BuiltinSeries {
  readonly type: FamilyType;
  /** Of its values, or of what a histogram observed: `seconds`, `bytes`, or empty. */
  readonly unit: string;
}

export const builtinSeries: ReadonlyMap<string, BuiltinSeries> = new Map(
  [...builtinMetrics.values()].flatMap(seriesOf),
);

function seriesOf(metric: Metric): (readonly [name: string, BuiltinSeries])[] {
  switch (metric.type) {
    case "counter":
      return [entry(totalFamily(metric))];
    case "gauge":
      return [entry(gaugeFamily(metric))];
    case "rate":
      return [entry(totalFamily(metric)), entry(rateFamily(metric))];
    case "trend": {
      const { name, type, unit } = histogramFamily(metric);
      return [
        [name, { type, unit }],
        [`${name}_bucket`, { type: "counter", unit: "" }],
        [`${name}_sum`, { type: "counter", unit }],
        [`${name}_count`, { type: "counter", unit: "" }],
      ];
    }
  }
}

function entry({ name, type, unit }: MetricFamily): readonly [name: string, BuiltinSeries] {
  return [name, { type, unit }];
}

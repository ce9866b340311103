/**
 * Holds what we aggregated against what the load generator counted itself: two counts of one run, made apart.
 */
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { GeneratorCount } from "../runs/generator-count.ts";
import type { K6Summary } from "./k6-summary.ts";

export interface Difference {
  readonly metric: string;
  readonly stat: GeneratorCount["stat"];
  readonly generator: number;
  readonly plimsoll: number;
}

export interface Reconciliation {
  /** How many numbers were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

/** Sums of fractions depend on their order, which k6 and we do not share; whole numbers must be equal. */
const relativeTolerance = 1e-9;

/** The counts of k6's summary. Trends have none there, and gauges nothing to count. */
export function countsOf(summary: K6Summary): GeneratorCount[] {
  const counts: GeneratorCount[] = [];
  for (const [metric, { type, values }] of summary.metrics) {
    // Submetrics never appear as samples.
    if (metric.includes("{")) continue;
    const add = (stat: GeneratorCount["stat"], value: number | undefined): void => {
      if (value !== undefined) counts.push({ metric, stat, value });
    };
    if (type === "counter") add("count", values.get("count"));
    if (type === "rate") {
      add("nonzero", values.get("passes"));
      add("zero", values.get("fails"));
    }
  }
  return counts;
}

export function reconcile(
  counts: readonly GeneratorCount[],
  totals: readonly MetricTotals[],
): Reconciliation {
  const byName = new Map(totals.map((total) => [total.metric.name, total]));
  const differences = counts.flatMap(({ metric, stat, value: generator }): Difference[] => {
    const total = byName.get(metric);
    const plimsoll = (stat === "zero" ? total?.zeros : total?.value) ?? 0;
    const areWhole = Number.isInteger(generator) && Number.isInteger(plimsoll);
    const isEqual = areWhole
      ? generator === plimsoll
      : Math.abs(generator - plimsoll) <= Math.abs(generator) * relativeTolerance;
    return isEqual ? [] : [{ metric, stat, generator, plimsoll }];
  });
  return { compared: counts.length, differences };
}

/**
 * Holds what we aggregated against what k6 counted itself: two counts of one run, made apart.
 */
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { K6Summary } from "./k6-summary.ts";

export interface Difference {
  readonly metric: string;
  /** `count` of a counter; `passes` and `fails` of a rate. */
  readonly stat: string;
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

export function reconcile(summary: K6Summary, totals: readonly MetricTotals[]): Reconciliation {
  const byName = new Map(totals.map((total) => [total.metric.name, total]));
  const differences: Difference[] = [];
  let compared = 0;
  for (const [metric, { type, values }] of summary.metrics) {
    // Submetrics never appear as samples.
    if (metric.includes("{")) continue;
    const total = byName.get(metric);
    const pairs: (readonly [stat: string, ours: number])[] =
      type === "counter"
        ? [["count", total?.value ?? 0]]
        : type === "rate"
          ? [
              ["passes", total?.value ?? 0],
              ["fails", total?.zeros ?? 0],
            ]
          : [];
    for (const [stat, plimsoll] of pairs) {
      const generator = values.get(stat);
      if (generator === undefined) continue;
      compared++;
      const areWhole = Number.isInteger(generator) && Number.isInteger(plimsoll);
      const isEqual = areWhole
        ? generator === plimsoll
        : Math.abs(generator - plimsoll) <= Math.abs(generator) * relativeTolerance;
      if (!isEqual) differences.push({ metric, stat, generator, plimsoll });
    }
  }
  return { compared, differences };
}

/**
 * What k6's summary says of a script's thresholds: its verdicts, and the values that it compared.
 */
import { InputError } from "../errors.ts";
import { parseExpression, type ThresholdExpression } from "../runs/threshold-expression.ts";
import type { K6Summary, K6SummaryMetric } from "./k6-summary.ts";

export interface GeneratorVerdict {
  /** The metric, or submetric with its filter, e.g. `http_req_duration{status:200}`. */
  readonly metric: string;
  /** As written in the script, e.g. `p(95)<500`. */
  readonly threshold: string;
  readonly ok: boolean;
  /** In k6's unit. Undefined for what the summary does not have: of a trend it has `summaryTrendStats` alone. */
  readonly value: number | undefined;
}

/** By name: k6 puts them down in any order. */
export function thresholdsOf(summary: K6Summary | undefined): GeneratorVerdict[] {
  return sorted(summary?.metrics).flatMap(([metric, found]) =>
    sorted(found.thresholds).map(([threshold, ok]) => ({
      metric,
      threshold,
      ok,
      value: valueOf(threshold, found),
    })),
  );
}

function sorted<Value>(values: ReadonlyMap<string, Value> = new Map()): [string, Value][] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}

function valueOf(threshold: string, { type, values }: K6SummaryMetric): number | undefined {
  let expression: ThresholdExpression;
  try {
    expression = parseExpression(threshold);
  } catch (error) {
    // Of a k6 that knows more than we do: there is its verdict.
    if (error instanceof InputError) return undefined;
    throw error;
  }
  const { aggregation, percent } = expression;
  if (aggregation === "percentile") {
    return values.get(`p(${percent})`) ?? (percent === 50 ? values.get("med") : undefined);
  }
  return values.get(type === "rate" && aggregation === "rate" ? "value" : aggregation);
}

/**
 * A threshold's expression, `p(95)<500`, and its verdict on what has been counted so far.
 *
 * In:  the expression's text; the numbers of all series that its metric or submetric has.
 * Out: the value that is compared, and whether it is within the limit, by k6's rules.
 *
 * Source: k6 `metrics/thresholds_parser.go`, `metrics/thresholds.go`, `internal/metrics/engine/engine.go`.
 */
import { InputError } from "../errors.ts";

type Operator = "<" | "<=" | ">" | ">=" | "==" | "===" | "!=";

const comparisons: Readonly<Record<Operator, (value: number, limit: number) => boolean>> = {
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "==": (value, limit) => value === limit,
  "===": (value, limit) => value === limit,
  "!=": (value, limit) => value !== limit,
};

export interface ThresholdExpression {
  readonly aggregation: "value" | "count" | "rate" | "avg" | "min" | "max" | "percentile";
  /** 0 to 100; of a percentile only. `med` is the 50th. */
  readonly percent: number;
  readonly operator: Operator;
  readonly limit: number;
}

/** What has been counted of a metric or submetric, over all its series, in k6's units: times in milliseconds. */
export type MetricStats =
  | {
      readonly type: "counter";
      /** Undefined before the first sample. */
      readonly sum: number | undefined;
    }
  | {
      readonly type: "gauge";
      /** Undefined before the first sample. */
      readonly last: number | undefined;
    }
  | { readonly type: "rate"; readonly nonzero: number; readonly total: number }
  | {
      readonly type: "trend";
      /** 0 before the first sample; then nothing else is read. */
      readonly count: number;
      readonly sum: number;
      readonly min: number;
      readonly max: number;
      /** `percent` from 0 to 100. */
      readonly percentile: (percent: number) => number;
    };

export interface Moment {
  /** How long the test has been running: what a counter's rate is divided by. */
  readonly runSeconds: number;
  /** After the last sample. Before it, what has no samples is not judged. */
  readonly isFinal: boolean;
}

/** `value` is undefined where there was no sample; `ok` where there is nothing to say. */
export interface Judgement {
  readonly value: number | undefined;
  readonly ok: boolean | undefined;
}

const number = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const expressionForm = new RegExp(
  String.raw`^\s*(?:(value|count|rate|avg|min|max|med)|p\(\s*(${number})\s*\))\s*` +
    String.raw`(<=|<|>=|>|===|==|!=)\s*(${number})\s*$`,
);

/** @throws InputError that says what an expression looks like */
export function parseExpression(text: string): ThresholdExpression {
  const [, name, percentText, operator, limit] = expressionForm.exec(text) ?? [];
  const percent = name === "med" ? 50 : Number(percentText ?? 0);
  if (operator === undefined || percent < 0 || percent > 100) {
    throw new InputError(
      `${JSON.stringify(text)} is not a threshold: expected value, count, rate, avg, min, max, med or p(N) with N ` +
        'from 0 to 100, then <, <=, >, >=, == or !=, then a number, as in "p(95)<500"',
    );
  }
  return {
    // The pattern lets no other name and no other operator through.
    aggregation: (name === undefined || name === "med"
      ? "percentile"
      : name) as ThresholdExpression["aggregation"],
    percent,
    operator: operator as Operator,
    limit: Number(limit),
  };
}

/**
 * `stats` is undefined where nothing is known of the metric, not even its type. At the end, what has no samples is
 * compared as 0, except for a rate, which passes. An aggregation that the metric's type does not have (k6 refuses
 * to start such a test) has no verdict.
 */
export function judge(
  expression: ThresholdExpression,
  stats: MetricStats | undefined,
  { runSeconds, isFinal }: Moment,
): Judgement {
  const { aggregation, operator, limit } = expression;
  const isWithin = (value: number) => comparisons[operator](value, limit);
  if (stats === undefined || isEmpty(stats)) {
    if (!isFinal) return { value: undefined, ok: undefined };
    const isRate = aggregation === "rate" && stats?.type !== "counter";
    return { value: undefined, ok: isRate || isWithin(0) };
  }
  const value = aggregate(expression, stats, runSeconds);
  return { value, ok: value === undefined ? undefined : isWithin(value) };
}

function isEmpty(stats: MetricStats): boolean {
  switch (stats.type) {
    case "counter":
      return stats.sum === undefined;
    case "gauge":
      return stats.last === undefined;
    case "rate":
      return stats.total === 0;
    case "trend":
      return stats.count === 0;
  }
}

/** Undefined where the type has no such aggregation, and for the rate of a counter in no time. */
function aggregate(
  { aggregation, percent }: ThresholdExpression,
  stats: MetricStats,
  runSeconds: number,
): number | undefined {
  switch (stats.type) {
    case "counter":
      if (aggregation === "count") return stats.sum;
      if (aggregation !== "rate" || stats.sum === undefined || runSeconds <= 0) return undefined;
      return stats.sum / runSeconds;
    case "gauge":
      return aggregation === "value" ? stats.last : undefined;
    case "rate":
      return aggregation === "rate" ? stats.nonzero / stats.total : undefined;
    case "trend":
      if (aggregation === "avg") return stats.sum / stats.count;
      if (aggregation === "percentile") return stats.percentile(percent);
      return aggregation === "min" || aggregation === "max" ? stats[aggregation] : undefined;
  }
}

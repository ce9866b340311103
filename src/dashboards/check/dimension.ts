/**
 * What an expression measures: seconds, bytes per second, a share; by the arithmetic of dimensions.
 *
 * In:  an expression's tree and the catalogue.
 * Out: the dimension of its values, or undefined where the names and the arithmetic do not say.
 *
 * Counted things have no dimension: requests per request are a number, seconds per request are seconds.
 */
import type { BaseUnit, Catalogue } from "./catalogue.ts";
import { selected } from "./labels.ts";
import { builtinMetrics } from "../../sample/builtin-metrics.ts";
import type { Binary, Expr, Selector } from "./promql-tree.ts";

export interface Dimension {
  readonly seconds: number;
  readonly bytes: number;
  /** What a value is multiplied with: 1 000 for milliseconds. */
  readonly scale: number;
  /** A point in time, in seconds since 1970. */
  readonly isTime: boolean;
  /** Whether a number without dimension is a share of something: a quotient may be one, a count is none. */
  readonly share: "yes" | "maybe" | "no";
  /** Of buckets and native histograms, or of their rate: what was observed. */
  readonly observed?: Dimension | undefined;
}

const plain: Dimension = { seconds: 0, bytes: 0, scale: 1, isTime: false, share: "no" };
const seconds: Dimension = { ...plain, seconds: 1 };

const dimensionOfUnit: Readonly<Record<BaseUnit, Dimension>> = {
  seconds,
  milliseconds: { ...seconds, scale: 1_000 },
  bytes: { ...plain, bytes: 1 },
  ratio: { ...plain, share: "yes" },
  timestamp: { ...seconds, isTime: true },
  items: plain,
};

export function dimensionOf(expr: Expr, catalogue: Catalogue): Dimension | undefined {
  switch (expr.kind) {
    case "number":
    case "string":
      return undefined;
    case "selector":
      return ofSelector(expr, catalogue);
    case "aggregate":
      if (expr.op === "count" || expr.op === "count_values") return plain;
      if (expr.op === "group") return plain;
      return expr.op === "stdvar" ? undefined : dimensionOf(expr.arg, catalogue);
    case "call":
      return ofCall(expr.name, expr.args, catalogue);
    case "binary":
      return ofBinary(expr, catalogue);
  }
}

function ofSelector(selector: Selector, catalogue: Catalogue): Dimension | undefined {
  if (selector.name === "plimsoll_run_summary") return ofSummary(selector);
  // node_exporter's name for what a line carries: bytes per second, though it does not say so.
  if (selector.name === "node_network_speed_bytes") return { ...plain, bytes: 1, seconds: -1 };
  const dimensions = selected(selector, catalogue).map(({ unit, observed, kind }) => {
    const own = kind === "native histogram" ? plain : unit && dimensionOfUnit[unit];
    return own && { ...own, observed: observed && dimensionOfUnit[observed] };
  });
  return dimensions.length > 0 && dimensions.every((other) => isSame(other, dimensions[0]))
    ? dimensions[0]
    : undefined;
}

/** A run's summary says in its labels what it measures. */
function ofSummary({ matchers }: Selector): Dimension | undefined {
  const [metric, stats] = ["metric", "stat"].map(
    (label) =>
      matchers.find((matcher) => matcher.label === label && /^=~?$/.test(matcher.op))?.value,
  );
  const { type, contains } = builtinMetrics.get(metric ?? "") ?? {};
  const dimensions = (stats ?? "").split("|").map((stat) => {
    if (["count", "nonzero", "zero"].includes(stat))
      return contains === "data" ? dimensionOfUnit.bytes : plain;
    if (stat === "rate") return dimensionOfUnit.ratio;
    if (type === "trend" && contains === "time") return seconds;
    return type === "gauge" ? plain : undefined;
  });
  return dimensions.every((other) => isSame(other, dimensions[0])) ? dimensions[0] : undefined;
}

function ofCall(name: string, args: readonly Expr[], catalogue: Catalogue): Dimension | undefined {
  const of = (index: number): Dimension | undefined => {
    const arg = args[index];
    return arg && dimensionOf(arg, catalogue);
  };
  switch (name) {
    case "rate":
    case "irate":
    case "deriv":
      return perSecond(of(0));
    case "histogram_quantile":
      return of(1)?.observed;
    case "quantile_over_time":
      return of(1);
    case "histogram_avg":
    case "histogram_stddev":
      return of(0)?.observed;
    case "histogram_sum": {
      const histogram = of(0);
      return histogram?.observed && product(histogram.observed, histogram);
    }
    case "histogram_count": {
      const histogram = of(0);
      return histogram && { ...histogram, observed: undefined };
    }
    case "histogram_fraction":
      return dimensionOfUnit.ratio;
    case "count_over_time":
    case "changes":
    case "resets":
    case "absent":
    case "absent_over_time":
    case "present_over_time":
    case "sgn":
      return plain;
    case "time":
    case "timestamp":
      return dimensionOfUnit.timestamp;
    case "delta":
    case "idelta": {
      // The difference of two points in time is a time.
      const from = of(0);
      return from && { ...from, isTime: false };
    }
    case "vector":
      return undefined;
    default:
      return handsOn.has(name) ? of(0) : undefined;
  }
}

/** Functions whose values are in the unit of their first argument's. */
const handsOn = new Set(
  `abs ceil clamp clamp_max clamp_min floor increase predict_linear round scalar label_join
  label_replace sort sort_desc sort_by_label sort_by_label_desc avg_over_time
  first_over_time last_over_time mad_over_time max_over_time min_over_time stddev_over_time
  sum_over_time`.split(/\s+/),
);

function ofBinary({ op, bool, left, right }: Binary, catalogue: Catalogue): Dimension | undefined {
  const [one, other] = [dimensionOf(left, catalogue), dimensionOf(right, catalogue)];
  const [number, divisor] = [constantOf(left), constantOf(right)];
  switch (op) {
    case "*":
      if (number !== undefined) return other && scaled(other, number);
      if (divisor !== undefined) return one && scaled(one, divisor);
      return one && other && product(one, other);
    case "/":
      if (divisor !== undefined) return one && scaled(one, 1 / divisor);
      return one && other && quotient(one, other);
    case "+":
    case "-":
      if (number !== undefined || isConstant(left)) return other;
      if (divisor !== undefined || isConstant(right)) return one;
      return one && other && sum(op, one, other);
    case "%":
      return one;
    case "and":
    case "unless":
      return one;
    case "or":
      // `x or vector(0)`: a zero where there is nothing has any unit.
      if (isConstant(right)) return one;
      return isSame(one, other) ? one : undefined;
    case "==":
    case "!=":
    case "<":
    case ">":
    case "<=":
    case ">=":
      // Zeros and ones: their mean is a share.
      return bool ? { ...plain, share: "maybe" } : (one ?? other);
    default:
      return undefined;
  }
}

/** A number without dimension, as far as it can be computed here. */
function constantOf(expr: Expr): number | undefined {
  if (expr.kind === "number") return expr.value;
  if (expr.kind !== "binary") return undefined;
  const [left, right] = [constantOf(expr.left), constantOf(expr.right)];
  if (left === undefined || right === undefined) return undefined;
  if (expr.op === "*") return left * right;
  if (expr.op === "/") return left / right;
  return undefined;
}

const isConstant = (expr: Expr): boolean =>
  constantOf(expr) !== undefined ||
  (expr.kind === "call" &&
    expr.name === "vector" &&
    expr.args[0] !== undefined &&
    isConstant(expr.args[0]));

/** Factors that make another unit of one; any other only makes more or less of it, and nobody knows of what. */
const knownFactors = [1_000, 1e6, 1e9, 100, 60, 3_600, 86_400, 8, 1_024, 1_024 ** 2, 1_024 ** 3];

function scaled(dimension: Dimension, factor: number): Dimension | undefined {
  const isKnown = knownFactors.some((known) =>
    [known, 1 / known].some((value) => close(value, factor)),
  );
  return isKnown || factor === 1 ? { ...dimension, scale: dimension.scale * factor } : undefined;
}

export const close = (one: number, other: number): boolean =>
  Math.abs(one - other) < 1e-9 * Math.abs(other);

const perSecond = (of: Dimension | undefined): Dimension | undefined =>
  of && (of.isTime ? { ...plain, share: "maybe" } : quotient(of, seconds));

function product(one: Dimension, other: Dimension): Dimension | undefined {
  if (one.isTime || other.isTime) return undefined;
  const share = one.share === "no" || other.share === "no" ? "no" : "maybe";
  return {
    seconds: one.seconds + other.seconds,
    bytes: one.bytes + other.bytes,
    scale: one.scale * other.scale,
    isTime: false,
    share,
  };
}

function quotient(one: Dimension, other: Dimension): Dimension | undefined {
  if (one.isTime || other.isTime) return undefined;
  return {
    seconds: one.seconds - other.seconds,
    bytes: one.bytes - other.bytes,
    scale: one.scale / other.scale,
    isTime: false,
    share: "maybe",
    observed: one.observed,
  };
}

function sum(op: "+" | "-", one: Dimension, other: Dimension): Dimension | undefined {
  if (one.isTime && other.isTime)
    return op === "-" && one.scale === other.scale ? { ...one, isTime: false } : undefined;
  const alike = { ...other, isTime: one.isTime };
  if (!isSame(one, alike)) return undefined;
  return one.isTime || !other.isTime ? one : other;
}

function isSame(one: Dimension | undefined, other: Dimension | undefined): boolean {
  if (!one || !other) return false;
  const { seconds, bytes, scale, isTime } = one;
  return (
    seconds === other.seconds &&
    bytes === other.bytes &&
    close(scale, other.scale) &&
    isTime === other.isTime
  );
}

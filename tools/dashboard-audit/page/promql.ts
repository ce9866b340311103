/**
 * Reads a PromQL expression with Prometheus's own grammar: which metrics and labels it names, and what its result
 * measures, as far as that follows from the names ("Metric and label naming" of Prometheus's manual).
 *
 * What it cannot tell it leaves open: a metric without a base unit in its name, a function that changes the unit.
 */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** A product of base units; a rate of bytes has `bytes: 1, seconds: -1`. */
export interface Dimension {
  readonly seconds: number;
  readonly bytes: number;
  /** What literals multiply the value by: 100 in a percentage. */
  readonly factor: number;
  /** Seconds since 1970 rather than a length of time. */
  readonly epoch?: boolean;
  readonly literal?: boolean;
}

export interface Selector {
  /** Undefined where the name is matched by a regular expression. */
  readonly metric: string | undefined;
  readonly labels: readonly string[];
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** In `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  readonly groupingLabels: readonly string[];
  /** That `label_replace`, `label_join` or `count_values` make. */
  readonly madeLabels: readonly string[];
  readonly dimension: Dimension | undefined;
}

export function parseExpression(text: string): Expression {
  const selectors: Selector[] = [];
  const groupingLabels: string[] = [];
  const madeLabels: string[] = [];
  const tree = parser.parse(text);
  const textOf = (node: SyntaxNode) => text.slice(node.from, node.to);
  tree.iterate({
    enter({ name, node }) {
      if (name === "VectorSelector") selectors.push(toSelector(node, textOf));
      if (name === "GroupingLabels") groupingLabels.push(...namesIn(node, textOf));
      if (/^(LabelReplace|LabelJoin|CountValues)$/.test(name)) {
        const call = node.parent!.parent!;
        const made = call.getChild("FunctionCallBody")?.getChild("StringLiteral");
        if (made) madeLabels.push(unquote(textOf(made)));
      }
    },
  });
  const root = tree.topNode.firstChild;
  const dimension = root ? dimensionOf(root, textOf) : undefined;
  return { selectors, groupingLabels, madeLabels, dimension };
}

type TextOf = (node: SyntaxNode) => string;

const unquote = (text: string): string => text.replaceAll(/^["'`]|["'`]$/g, "");

const namesIn = (node: SyntaxNode, textOf: TextOf): string[] =>
  childrenOf(node)
    .filter(({ name }) => name === "LabelName" || name === "QuotedLabelName")
    .map((child) => unquote(textOf(child)));

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

function toSelector(node: SyntaxNode, textOf: TextOf): Selector {
  const name =
    node.getChild("Identifier") ?? node.getChild("LabelMatchers")?.getChild("QuotedLabelName");
  const matchers = childrenOf(node.getChild("LabelMatchers") ?? node).flatMap((matcher) => {
    const label = matcher.getChild("LabelName") ?? matcher.getChild("QuotedLabelName");
    const value = matcher.getChild("StringLiteral");
    const operator = matcher.getChild("MatchOp");
    if (!label || !value || !operator) return [];
    return {
      label: unquote(textOf(label)),
      operator: textOf(operator),
      value: unquote(textOf(value)),
    };
  });
  const named = matchers.find(({ label, operator }) => label === "__name__" && operator === "=");
  return {
    metric: name ? unquote(textOf(name)) : named?.value,
    // `label=""` asks for the series that have no such label.
    labels: matchers
      .filter(({ label, operator, value }) => label !== "__name__" && operator + value !== "=")
      .map(({ label }) => label),
  };
}

const pure = (factor = 1): Dimension => ({ seconds: 0, bytes: 0, factor });

const times = (a: Dimension, b: Dimension, sign: 1 | -1): Dimension => ({
  seconds: a.seconds + sign * b.seconds,
  bytes: a.bytes + sign * b.bytes,
  factor: a.factor * b.factor ** sign,
  // A moment in other units is still one.
  ...(((a.epoch && b.literal) || (a.literal && b.epoch)) && { epoch: true }),
});

const sameFunctions =
  /^(sum|avg|min|max|quantile|stddev|topk|bottomk|limitk|abs|ceil|floor|round|clamp\w*|sort\w*|label_\w+|increase|delta|idelta|(sum|avg|min|max|last|first|quantile|stddev|mad)_over_time|scalar|vector|predict_linear|double_exponential_smoothing)$/;
const countFunctions =
  /^(count|group|count_values|count_over_time|present_over_time|changes|resets|absent|absent_over_time|sgn|histogram_fraction)$/;

function dimensionOf(node: SyntaxNode, textOf: TextOf): Dimension | undefined {
  const inner = () => (node.firstChild ? dimensionOf(node.firstChild, textOf) : undefined);
  switch (node.name) {
    case "NumberDurationLiteral":
      return { ...pure(Number(textOf(node))), literal: true };
    case "VectorSelector":
      return ofMetric(toSelector(node, textOf).metric ?? "");
    case "ParenExpr":
    case "MatrixSelector":
    case "SubqueryExpr":
    case "OffsetExpr":
    case "StepInvariantExpr":
      return inner();
    case "UnaryExpr":
      return node.lastChild ? dimensionOf(node.lastChild, textOf) : undefined;
    case "AggregateExpr":
    case "FunctionCall":
      return ofCall(node, textOf);
    case "BinaryExpr":
      return ofBinary(node, textOf);
    default:
      return undefined;
  }
}

function ofCall(node: SyntaxNode, textOf: TextOf): Dimension | undefined {
  const name = textOf(node.firstChild!);
  const parameters = childrenOf(node.getChild("FunctionCallBody") ?? node).filter(
    ({ name }) => name !== "StringLiteral",
  );
  // The measured argument stands last, but for functions that take numbers after it.
  const early = /^(round|clamp\w*|label_\w+|predict_linear|double_exponential_smoothing)$/.test(
    name,
  );
  const argument = early ? parameters[0] : parameters.at(-1);
  if (name === "time" || name === "timestamp") return { ...pure(), seconds: 1, epoch: true };
  if (countFunctions.test(name)) return pure();
  const measured = argument && dimensionOf(argument, textOf);
  if (/^histogram_(quantile|avg|stddev|stdvar|count)$/.test(name) && argument) {
    const base = observedIn(argument, textOf);
    if (name === "histogram_count") return base && measured && times(measured, base, -1);
    return name === "histogram_stdvar" ? undefined : base;
  }
  if (name === "histogram_sum" || sameFunctions.test(name)) return measured;
  if (/^(rate|irate|deriv)$/.test(name)) {
    return measured && times(measured, { ...pure(), seconds: 1 }, -1);
  }
  return undefined;
}

/** What the buckets of the histogram in an argument measure. */
function observedIn(node: SyntaxNode, textOf: TextOf): Dimension | undefined {
  let found: Dimension | undefined;
  node.cursor().iterate((child) => {
    if (child.name !== "VectorSelector") return;
    const metric = toSelector(child.node, textOf).metric ?? "";
    found ??= ofMetric(metric.replace(/_bucket$/, ""));
  });
  return found;
}

function ofBinary(node: SyntaxNode, textOf: TextOf): Dimension | undefined {
  const left = dimensionOf(node.firstChild!, textOf);
  const right = dimensionOf(node.lastChild!, textOf);
  const operator = textOf(node.firstChild!.nextSibling!);
  if (/^(==|!=|<|>|<=|>=)$/.test(operator)) {
    if (node.getChild("BoolModifier")) return pure();
    return left?.literal ? right : left;
  }
  if (operator === "and" || operator === "unless") return left;
  if (operator === "or") return left && !left.literal ? left : right;
  if (!left || !right) return undefined;
  if (operator === "*" || operator === "/") {
    const product = times(left, right, operator === "*" ? 1 : -1);
    return left.literal && right.literal ? { ...product, literal: true } : product;
  }
  if (operator !== "+" && operator !== "-") return undefined;
  if (left.literal || right.literal) return left.literal ? right : left;
  if (left.seconds !== right.seconds || left.bytes !== right.bytes) return undefined;
  // The distance of two moments is a length of time.
  const epoch = left.epoch !== right.epoch;
  const { epoch: _epoch, ...rest } = left;
  return left.epoch || right.epoch ? { ...rest, ...(epoch && { epoch }) } : left;
}

/** k6's names of these counters have no unit. */
const k6Bytes = /^k6_data_(sent|received)_total$/;

/** By the suffix; undefined where there is none that says it. */
function ofMetric(name: string): Dimension | undefined {
  // A recording rule's name ends with what was done to the metric.
  if (name.includes(":")) return undefined;
  if (/_(bucket|count)$/.test(name)) return pure();
  const base = name.replace(/_(total|sum|created)$/, "");
  if (/_(start_time|end_time|boot_time|timestamp)_seconds$/.test(base)) {
    return { ...pure(), seconds: 1, epoch: true };
  }
  if (base.endsWith("_seconds")) return { ...pure(), seconds: 1 };
  if (base.endsWith("_bytes") || k6Bytes.test(name)) return { ...pure(), bytes: 1 };
  if (base.endsWith("_ratio")) return pure();
  if (base.endsWith("_percent")) return pure(100);
  return name.endsWith("_total") ? pure() : undefined;
}

/**
 * PromQL as a tree of what the checks need of it: which series, which labels are kept, what is done to the values.
 *
 * In:  an expression without variables. What is no PromQL is promtool's to say; here it only gives no tree.
 * Out: a tree without parentheses, signs, ranges and offsets: they change neither labels nor units.
 *
 * Source: the grammar of Prometheus' own web page, @prometheus-io/lezer-promql.
 */
import { parser } from "@prometheus-io/lezer-promql";

export type Expr =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | Selector
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expr[] }
  | Aggregate
  | Binary;

export interface Selector {
  readonly kind: "selector";
  /** Undefined where only matchers say which series. */
  readonly name: string | undefined;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly op: string;
  readonly value: string;
}

export interface Aggregate {
  readonly kind: "aggregate";
  readonly op: string;
  readonly by: readonly string[];
  readonly without: readonly string[] | undefined;
  /** The first argument of `topk`, `quantile`, `count_values`. */
  readonly param: Expr | undefined;
  readonly arg: Expr;
}

export interface Binary {
  readonly kind: "binary";
  readonly op: string;
  readonly bool: boolean;
  readonly left: Expr;
  readonly right: Expr;
  readonly on: readonly string[] | undefined;
  readonly ignoring: readonly string[];
  /** The side with several series for one of the other, and the labels that it gets from there. */
  readonly group:
    { readonly many: "left" | "right"; readonly include: readonly string[] } | undefined;
}

type Node = ReturnType<typeof parser.parse>["topNode"];

/** @returns undefined where the text is no PromQL */
export function parsePromql(text: string): Expr | undefined {
  const masked = withoutTimeModifiers(text);
  const { topNode } = parser.parse(masked);
  let isBroken = false;
  topNode.cursor().iterate(({ type }) => {
    isBroken ||= type.isError;
  });
  const [root] = childrenOf(topNode);
  return isBroken || root === undefined ? undefined : toExpr(root, masked);
}

/**
 * The grammar binds `offset` and `@` less tightly than Prometheus does: `a - b offset 5m / c` would be `(a - b) / c`.
 */
function withoutTimeModifiers(text: string): string {
  const parts =
    /("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|\boffset\s+-?[\w.]+|@\s*(?:-?[\d.]+|start\(\)|end\(\))/gi;
  return text.replaceAll(parts, (match, string?: string) => string ?? " ".repeat(match.length));
}

function toExpr(node: Node, text: string): Expr | undefined {
  switch (node.name) {
    case "NumberDurationLiteral":
      return { kind: "number", value: toNumber(textOf(node, text)) };
    case "StringLiteral":
      return { kind: "string", value: unquote(textOf(node, text)) };
    case "VectorSelector":
      return toSelector(node, text);
    case "FunctionCall":
      return {
        kind: "call",
        name: textOf(node.getChild("FunctionIdentifier"), text),
        args: argumentsOf(node, text),
      };
    case "AggregateExpr":
      return toAggregate(node, text);
    case "BinaryExpr":
      return toBinary(node, text);
    default:
      // Parentheses, signs, ranges, subqueries: what they stand around decides.
      return childrenOf(node)
        .map((child) => toExpr(child, text))
        .find((expr) => expr !== undefined);
  }
}

function toSelector(node: Node, text: string): Selector {
  const list = node.getChild("LabelMatchers");
  const quoted = textOf(list?.getChild("QuotedLabelName"), text);
  const name = textOf(node.getChild("Identifier"), text) || unquote(quoted) || undefined;
  const matchers = [
    ...(list?.getChildren("UnquotedLabelMatcher") ?? []),
    ...(list?.getChildren("QuotedLabelMatcher") ?? []),
  ].map((matcher): Matcher => {
    const [label, op, value] = childrenOf(matcher);
    return {
      label: unquote(textOf(label, text)),
      op: textOf(op, text),
      value: unquote(textOf(value, text)),
    };
  });
  return { kind: "selector", name, matchers };
}

function toAggregate(node: Node, text: string): Expr | undefined {
  const modifier = node.getChild("AggregateModifier");
  const labels = labelsIn(modifier, text);
  const args = argumentsOf(node, text);
  const arg = args.at(-1);
  if (!arg) return undefined;
  const isWithout = modifier?.getChild("Without") != null;
  return {
    kind: "aggregate",
    op: textOf(node.getChild("AggregateOp"), text).toLowerCase(),
    by: isWithout ? [] : labels,
    without: isWithout ? labels : undefined,
    param: args.length > 1 ? args[0] : undefined,
    arg,
  };
}

function toBinary(node: Node, text: string): Expr | undefined {
  const children = childrenOf(node);
  const [left, right] = [children.at(0), children.at(-1)].map(
    (child) => child && toExpr(child, text),
  );
  if (!left || !right) return undefined;
  const matching = node.getChild("MatchingModifierClause");
  const isOn = matching?.getChild("On") != null;
  const [matched, included] = matching?.getChildren("GroupingLabels") ?? [];
  const many = matching?.getChild("GroupLeft")
    ? "left"
    : matching?.getChild("GroupRight")
      ? "right"
      : undefined;
  const labels = namesIn(matched, text);
  return {
    kind: "binary",
    op: textOf(children[1], text).toLowerCase(),
    bool: node.getChild("BoolModifier") != null,
    left,
    right,
    on: isOn ? labels : undefined,
    ignoring: isOn ? [] : labels,
    group: many && { many, include: namesIn(included, text) },
  };
}

function argumentsOf(node: Node, text: string): Expr[] {
  const body = node.getChild("FunctionCallBody");
  return (body ? childrenOf(body) : []).flatMap((child) => toExpr(child, text) ?? []);
}

const labelsIn = (node: Node | null, text: string): string[] =>
  namesIn(node?.getChild("GroupingLabels"), text);

const namesIn = (node: Node | null | undefined, text: string): string[] =>
  node ? childrenOf(node).map((child) => unquote(textOf(child, text))) : [];

const textOf = (node: Node | null | undefined, text: string): string =>
  node ? text.slice(node.from, node.to) : "";

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

/** A string as PromQL writes it, or a name without quotes as it stands. */
function unquote(text: string): string {
  if (!/^["'`]/.test(text)) return text;
  const inner = text.slice(1, -1);
  return text.startsWith("`") ? inner : inner.replaceAll(/\\(.)/gs, "$1");
}

const secondsOf: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** A duration is a number of seconds. */
function toNumber(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const durations = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  if (durations.length === 0) return Number(text.replaceAll("_", ""));
  return durations.reduce(
    (sum, [, count, unit = "s"]) => sum + Number(count) * (secondsOf[unit] ?? 1),
    0,
  );
}

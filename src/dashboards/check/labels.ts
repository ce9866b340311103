/**
 * Follows labels through an expression: from the series that are selected to what is left of them in the answer.
 *
 * In:  an expression's tree and the catalogue.
 * Out: the labels that the answer can have, and what asks for a metric or a label that there is not.
 */
import { suggestion } from "../../config/suggest.ts";
import type { Catalogue, MetricEntry } from "./catalogue.ts";
import type { Aggregate, Binary, Expr, Selector } from "./promql-tree.ts";

export interface Answer {
  readonly labels: ReadonlySet<string>;
  /** A number without labels, which goes with any of them. */
  readonly isScalar: boolean;
  /** Whether an aggregation says by name which labels there are. */
  readonly isExact: boolean;
  readonly problems: readonly string[];
  /** The metrics and the number of labels that were looked up. */
  readonly metrics: ReadonlySet<string>;
  readonly lookups: number;
}

export function answerOf(expr: Expr, catalogue: Catalogue): Answer {
  const walk = new Walk(catalogue);
  const labels = walk.labelsOf(expr);
  const { problems, metrics, lookups } = walk;
  const isExact = isExactOf(expr);
  return { labels, isScalar: isScalarOf(expr), isExact, problems, metrics, lookups };
}

/** The metrics that a selector can select. */
export function selected(selector: Selector, catalogue: Catalogue): MetricEntry[] {
  const { name, matchers } = selector;
  if (name !== undefined) return [catalogue.get(name) ?? []].flat();
  const names = matchers.filter(({ label }) => label === "__name__");
  if (names.length === 0) return [...catalogue.entries];
  return [...catalogue.entries].filter((entry) =>
    names.every(({ op, value }) => {
      const isEqual = /~/.test(op)
        ? new RegExp(`^(?:${value})$`).test(entry.name)
        : entry.name === value;
      return op.startsWith("!") ? !isEqual : isEqual;
    }),
  );
}

const scalarFunctions = new Set(["scalar", "time", "pi", "vector"]);

function isScalarOf(expr: Expr): boolean {
  switch (expr.kind) {
    case "number":
    case "string":
      return true;
    case "call":
      return scalarFunctions.has(expr.name);
    case "binary":
      return isScalarOf(expr.left) && isScalarOf(expr.right);
    case "selector":
    case "aggregate":
      return false;
  }
}

/** Functions that hand on the series of an argument, and which. */
const argumentWithSeries: Readonly<Record<string, number>> = {
  histogram_fraction: 2,
  histogram_quantile: 1,
  quantile_over_time: 1,
};

const selecting = new Set(["topk", "bottomk", "limitk", "limit_ratio"]);

function isExactOf(expr: Expr): boolean {
  if (expr.kind === "aggregate") return expr.without === undefined && !selecting.has(expr.op);
  if (expr.kind === "call") {
    const arg = expr.args[argumentWithSeries[expr.name] ?? 0];
    return (
      arg !== undefined &&
      expr.name !== "label_replace" &&
      expr.name !== "label_join" &&
      isExactOf(arg)
    );
  }
  if (expr.kind !== "binary" || expr.group) return false;
  if (expr.op === "or") return false;
  if (isScalarOf(expr.right)) return isExactOf(expr.left);
  return isScalarOf(expr.left) ? isExactOf(expr.right) : isExactOf(expr.left);
}

class Walk {
  readonly #catalogue: Catalogue;
  readonly #everyLabel: ReadonlySet<string>;
  readonly problems: string[] = [];
  readonly metrics = new Set<string>();
  lookups = 0;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#everyLabel = new Set([...catalogue.entries].flatMap(({ labels }) => [...labels]));
  }

  labelsOf(expr: Expr): ReadonlySet<string> {
    switch (expr.kind) {
      case "number":
      case "string":
        return new Set();
      case "selector":
        return this.#ofSelector(expr);
      case "call":
        return this.#ofCall(expr.name, expr.args);
      case "aggregate":
        return this.#ofAggregate(expr);
      case "binary":
        return this.#ofBinary(expr);
    }
  }

  #ofSelector(selector: Selector): ReadonlySet<string> {
    const entries = selected(selector, this.#catalogue);
    if (entries.length === 0) {
      const { name, matchers } = selector;
      const wanted = name ?? matchers.find(({ label }) => label === "__name__")?.value ?? "";
      const names = [...this.#catalogue.entries].map((entry) => entry.name);
      this.problems.push(
        `no metric ${JSON.stringify(wanted)}${suggestion(wanted, names)}: neither the pipeline nor an exporter has it`,
      );
      // Nothing more can be said of its labels than that they may be there.
      return anyLabel;
    }
    for (const { name } of entries) this.metrics.add(name);
    const labels = new Set(entries.flatMap((entry) => [...entry.labels]));
    const of = selector.name ?? "the metrics of that name";
    for (const { label, op, value } of selector.matchers) {
      if (label === "__name__") continue;
      // `label=""` leaves out what has the label: it is enough that something has it.
      const isAbsence = op === "=" && value === "";
      this.#look(label, isAbsence ? this.#everyLabel : labels, `is matched in ${of}`);
    }
    return labels;
  }

  #ofCall(name: string, args: readonly Expr[]): ReadonlySet<string> {
    const all = args.map((arg) => this.labelsOf(arg));
    const labels = all[argumentWithSeries[name] ?? 0] ?? new Set<string>();
    const texts = args.map((arg) => (arg.kind === "string" ? arg.value : ""));
    switch (name) {
      case "histogram_quantile":
        return without(labels, ["le"]);
      case "label_replace": {
        const [, made = "", , source = ""] = texts;
        if (source !== "" && source !== "__name__")
          this.#look(source, labels, "is what label_replace reads");
        return withLabels(labels, [made]);
      }
      case "label_join": {
        const [, made = "", , ...sources] = texts;
        for (const source of sources) this.#look(source, labels, "is what label_join reads");
        return withLabels(labels, [made]);
      }
      case "absent":
      case "absent_over_time": {
        const [arg] = args;
        const matchers = arg?.kind === "selector" ? arg.matchers : [];
        return new Set(matchers.filter(({ op }) => op === "=").map(({ label }) => label));
      }
      default:
        return scalarFunctions.has(name) ? new Set() : labels;
    }
  }

  #ofAggregate({ op, by, without: removed, param, arg }: Aggregate): ReadonlySet<string> {
    const labels = this.labelsOf(arg);
    for (const label of by) this.#look(label, labels, `is what ${op} groups by`);
    for (const label of removed ?? []) this.#look(label, labels, `is what ${op} leaves out`);
    if (selecting.has(op)) return labels;
    const kept = removed ? without(labels, removed) : new Set(by);
    return op === "count_values" && param?.kind === "string"
      ? withLabels(kept, [param.value])
      : kept;
  }

  #ofBinary(binary: Binary): ReadonlySet<string> {
    const { op, left, right, on, ignoring, group } = binary;
    const of = { left: this.labelsOf(left), right: this.labelsOf(right) };
    if (isScalarOf(right)) return of.left;
    if (isScalarOf(left)) return of.right;
    if (op === "or") {
      this.#lookAll(on ?? [], union(of.left, of.right), `is what "or" matches on`);
      return union(of.left, of.right);
    }
    for (const side of ["left", "right"] as const) {
      this.#lookAll(on ?? [], of[side], `is what ${JSON.stringify(op)} matches on, at its ${side}`);
    }
    this.#lookAll(ignoring, union(of.left, of.right), `is what ${JSON.stringify(op)} ignores`);
    if (group) {
      const one = group.many === "left" ? of.right : of.left;
      this.#lookAll(group.include, one, `is what group_${group.many} takes from the other side`);
      return withLabels(of[group.many], group.include);
    }
    if (!on) this.#checkMatch(binary, of.left, of.right);
    if (op === "and" || op === "unless" || comparisons.has(op)) return of.left;
    return on ? new Set(on) : without(intersection(of.left, of.right), ignoring);
  }

  /** Two aggregations by different labels: no series of the one has the labels of one of the other. */
  #checkMatch(
    { op, left, right, ignoring }: Binary,
    one: ReadonlySet<string>,
    other: ReadonlySet<string>,
  ): void {
    if (!isExactOf(left) || !isExactOf(right)) return;
    const names = [one, other].map((labels) =>
      [...without(labels, ignoring)].toSorted().join(", "),
    );
    if (names[0] === names[1]) return;
    this.problems.push(
      `the sides of ${JSON.stringify(op)} never match: at its left are the labels (${names[0]}), at its right (${names[1]}); ` +
        "group both by the same, or say on(…) or ignoring(…)",
    );
  }

  #lookAll(labels: readonly string[], known: ReadonlySet<string>, use: string): void {
    for (const label of labels) this.#look(label, known, use);
  }

  #look(label: string, known: ReadonlySet<string>, use: string): void {
    this.lookups += 1;
    if (!known.has(label)) this.problems.push(`${noLabel(label, known)} It ${use}`);
  }
}

/** That a label is not among those that are there, and which are. */
export function noLabel(label: string, known: ReadonlySet<string>): string {
  const names = [...known].toSorted();
  const have = names.length === 0 ? "there are none there" : `there are ${names.join(", ")}`;
  return `no label ${JSON.stringify(label)}${suggestion(label, names)}; ${have}.`;
}

const comparisons = new Set(["==", "!=", ">", "<", ">=", "<="]);

/** Of a metric that does not exist: one finding is enough. */
const anyLabel: ReadonlySet<string> = new (class extends Set<string> {
  override has(): boolean {
    return true;
  }
})();

function without(labels: ReadonlySet<string>, removed: readonly string[]): ReadonlySet<string> {
  if (labels === anyLabel) return labels;
  return new Set([...labels].filter((label) => !removed.includes(label)));
}

function withLabels(labels: ReadonlySet<string>, added: readonly string[]): ReadonlySet<string> {
  return labels === anyLabel ? labels : new Set([...labels, ...added]);
}

function union(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  return one === anyLabel || other === anyLabel ? anyLabel : new Set([...one, ...other]);
}

function intersection(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  if (one === anyLabel) return other;
  return new Set([...one].filter((label) => other.has(label)));
}

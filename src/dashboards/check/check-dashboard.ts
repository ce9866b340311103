/**
 * Everything that can be said of a dashboard without a Prometheus and without a Grafana.
 *
 * In:  a dashboard's file, the catalogue of metrics.
 * Out: findings, what was looked at, and the expressions for promtool, each with a value for every variable.
 */
import { noLabel, answerOf } from "./labels.ts";
import { at, unique, type Finding } from "./finding.ts";
import { checkForm } from "./form.ts";
import { dimensionOf, type Dimension } from "./dimension.ts";
import { fieldsOf, matches } from "./fields.ts";
import { interpolations } from "./interpolate.ts";
import type { Field } from "./transformations.ts";
import { misfit } from "./units.ts";
import {
  panelsOf,
  questionsOf,
  queryOf,
  variablesOf,
  type DashboardJson,
  type TargetJson,
  type PanelJson,
} from "./model.ts";
import { parsePromql } from "./promql-tree.ts";
import type { Catalogue } from "./catalogue.ts";

/** How much was looked at: a check that looked at nothing has found nothing. */
export interface Counts {
  panels: number;
  expressions: number;
  metrics: number;
  labels: number;
  units: number;
}

/** An expression without variables, for promtool. */
export interface Expression {
  readonly place: string;
  readonly expr: string;
}

export interface Checked {
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Counts>;
  readonly expressions: readonly Expression[];
}

/** What is known of the answer to a panel's query, over all values of its variables. */
interface Known {
  readonly labels: Set<string>;
  readonly dimensions: Set<Dimension>;
}

/** `name` is the file's, without its ending. */
export function checkDashboard(
  name: string,
  dashboard: DashboardJson,
  catalogue: Catalogue,
): Checked {
  const findings = [...checkForm(name, dashboard), ...bareVariables(name, dashboard, catalogue)];
  const expressions: Expression[] = [];
  const metrics = new Set<string>();
  const known = new Map<TargetJson, Known>();
  const panels = panelsOf(name, dashboard);
  const counts = { panels: panels.length, expressions: 0, metrics: 0, labels: 0, units: 0 };
  for (const question of questionsOf(name, dashboard)) {
    const { place, texts, target } = question;
    const report = (message: string): number => findings.push({ place, message });
    const of: Known = { labels: new Set(), dimensions: new Set() };
    if (target) known.set(target, of);
    for (const expr of interpolations(question.expr, variablesOf(dashboard))) {
      expressions.push({ place, expr });
      const tree = parsePromql(expr);
      if (!tree) {
        // promtool says what is wrong with it; nobody knows what its fields would be.
        of.labels.add("{{any}}");
        continue;
      }
      const answer = answerOf(tree, catalogue);
      answer.problems.forEach(report);
      for (const metric of answer.metrics) metrics.add(metric);
      const wanted = [...texts.flatMap(legendLabels), ...question.labels];
      for (const label of wanted) {
        if (label === "__name__" || answer.labels.has(label)) continue;
        report(`${noLabel(label, answer.labels)} The answer is named by it`);
      }
      counts.labels += answer.lookups + wanted.length;
      for (const label of answer.labels) of.labels.add(label);
      const dimension = dimensionOf(tree, catalogue);
      if (dimension) of.dimensions.add(dimension);
    }
  }
  for (const { place, panel } of panels) {
    const targets = panel.targets ?? [];
    const labels = new Map(
      targets.map((target) => [target.refId ?? "", known.get(target)?.labels ?? new Set<string>()]),
    );
    const { fields, problems } = fieldsOf(panel, labels);
    findings.push(...problems.map((message) => ({ place, message })));
    for (const target of targets) {
      const { refId = "" } = target;
      const verdicts = [...(known.get(target)?.dimensions ?? [])].flatMap((dimension) => {
        // A heat map's unit is that of its scale, which is what the buckets observed.
        const shown = panel.type === "heatmap" ? dimension.observed : dimension;
        return (shown && verdictOn(unitsOf(panel, refId, fields), shown)) ?? [];
      });
      if (verdicts.length > 0) counts.units += 1;
      for (const message of verdicts)
        if (message !== fits) findings.push({ place: at(place, refId), message });
    }
  }
  return {
    findings: unique(findings),
    counts: { ...counts, expressions: expressions.length, metrics: metrics.size },
    expressions,
  };
}

const fits = "fits";

/** That one of the units fits, or why the first does not; undefined where nobody knows. */
function verdictOn(units: readonly string[], dimension: Dimension): string | undefined {
  const verdicts = units.map((unit) => misfit(unit, dimension));
  if (verdicts.includes("unknown")) return undefined;
  return verdicts.includes(undefined) ? fits : verdicts[0];
}

/** `label_values(LABEL)` asks all metrics, so that there is no expression. */
function bareVariables(name: string, dashboard: DashboardJson, catalogue: Catalogue): Finding[] {
  const known = new Set([...catalogue.entries].flatMap((entry) => [...entry.labels]));
  return variablesOf(dashboard).flatMap((variable): Finding[] => {
    if (variable.type !== "query") return [];
    const query = queryOf(variable).trim();
    if (/^(label_values\(.*,|query_result\(|metrics\(|label_names\()/s.test(query)) return [];
    const place = at(name, `variable ${variable.name}`);
    const label = /^label_values\(\s*(\w+)\s*\)$/.exec(query)?.[1];
    if (label === undefined) {
      return [
        {
          place,
          message: `cannot read ${JSON.stringify(query)}; expected label_values(…) or query_result(…)`,
        },
      ];
    }
    return known.has(label) ? [] : [{ place, message: noLabel(label, known) }];
  });
}

const legendLabels = (text: string): string[] =>
  [...text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map(([, label = ""]) => label);

/** The units that a query's values can be shown in: the panel's, or those of the overrides that match. */
function unitsOf(panel: PanelJson, refId: string, fields: readonly Field[]): string[] {
  const own = fields.filter((field) => field.refId === refId);
  return own.flatMap((field) => {
    let units = [panel.fieldConfig?.defaults?.unit ?? ""];
    for (const { matcher = {}, properties = [] } of panel.fieldConfig?.overrides ?? []) {
      const unit = properties.find(({ id }) => id === "unit")?.value;
      const isHidden = properties.some(({ id, value }) => id === "custom.hidden" && value === true);
      if (typeof unit !== "string" && !isHidden) continue;
      const { id, options } = matcher;
      const isCertain =
        (id === "byName" && options === field.name) ||
        (id === "byFrameRefID" && options === refId) ||
        (id === "byType" && options === "number") ||
        (id === "byRegexp" && !field.name.includes("{{") && matches(field, String(options)));
      // The last override that matches wins.
      if (isCertain) units = isHidden ? [] : [String(unit)];
      else if (field.name.includes("{{") && (id === "byRegexp" || id === "byName"))
        units.push(String(unit));
    }
    return units;
  });
}

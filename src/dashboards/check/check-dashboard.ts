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
import { fieldsOf, matches, type Field } from "./fields.ts";
import { interpolations } from "./interpolate.ts";
import { misfit } from "./units.ts";
import {
  panelsOf,
  questionsOf,
  queryOf,
  variablesOf,
  type DashboardJson,
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

/** `name` is the file's, without its ending. */
export function checkDashboard(
  name: string,
  dashboard: DashboardJson,
  catalogue: Catalogue,
): Checked {
  const findings: Finding[] = [
    ...checkForm(name, dashboard),
    ...bareVariables(name, dashboard, catalogue),
  ];
  const variables = variablesOf(dashboard);
  const expressions: Expression[] = [];
  const metrics = new Set<string>();
  let labels = 0;
  const answers = new Map<string, { labels: ReadonlySet<string>; dimensions: Set<Dimension> }>();
  for (const { place, expr, texts, labels: wanted } of questionsOf(name, dashboard)) {
    const report = (message: string): number => findings.push({ place, message });
    const known = { labels: new Set<string>(), dimensions: new Set<Dimension>() };
    answers.set(place, known);
    for (const text of interpolations(expr, variables)) {
      expressions.push({ place, expr: text });
      const tree = parsePromql(text);
      // promtool says what is wrong with it.
      if (!tree) continue;
      const answer = answerOf(tree, catalogue);
      answer.problems.forEach(report);
      for (const metric of answer.metrics) metrics.add(metric);
      labels += answer.lookups;
      const named = [...texts.flatMap(legendLabels), ...wanted];
      for (const label of named) {
        labels += 1;
        if (label !== "__name__" && !answer.labels.has(label)) {
          report(`${noLabel(label, answer.labels)} The answer is named by it`);
        }
      }
      for (const label of answer.labels) known.labels.add(label);
      const dimension = dimensionOf(tree, catalogue);
      if (dimension) known.dimensions.add(dimension);
    }
  }
  let units = 0;
  for (const panel of panelsOf(dashboard)) {
    const place = at(name, panel.title ?? "");
    const refIds = (panel.targets ?? []).map(({ refId = "?" }) => refId);
    const byRefId = new Map(
      refIds.map((refId) => [refId, answers.get(at(place, refId))?.labels ?? new Set<string>()]),
    );
    const { fields, problems } = fieldsOf(panel, byRefId);
    findings.push(...problems.map((message) => ({ place, message })));
    for (const refId of refIds) {
      for (const dimension of answers.get(at(place, refId))?.dimensions ?? []) {
        const verdicts = unitsOf(panel, refId, fields).map((unit) => misfit(unit, dimension));
        if (verdicts.length === 0 || verdicts.includes("unknown")) continue;
        units += 1;
        const [verdict] = verdicts;
        if (verdict !== undefined && !verdicts.includes(undefined)) {
          findings.push({ place: at(place, refId), message: verdict });
        }
      }
    }
  }
  const counts = {
    panels: panelsOf(dashboard).length,
    expressions: expressions.length,
    metrics: metrics.size,
    labels,
    units,
  };
  return { findings: unique(findings), counts, expressions };
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
      if (typeof unit !== "string") continue;
      const { id, options } = matcher;
      const isCertain =
        (id === "byName" && options === field.name) ||
        (id === "byFrameRefID" && options === refId) ||
        (id === "byType" && options === "number") ||
        (id === "byRegexp" && !field.name.includes("{{") && matches(field, String(options)));
      // The last override that matches wins.
      if (isCertain) units = [unit];
      else if (field.name.includes("{{") && (id === "byRegexp" || id === "byName"))
        units.push(unit);
    }
    return units;
  });
}

/**
 * A dashboard's file as the checks read it: the parts of Grafana's schema 1 that they look at, all optional, since a
 * broken file is what they are for.
 */
import { at } from "./finding.ts";

export interface DashboardJson {
  readonly id?: unknown;
  readonly uid?: string;
  readonly title?: string;
  readonly description?: string;
  readonly panels?: readonly PanelJson[];
  readonly templating?: { readonly list?: readonly VariableJson[] };
  readonly annotations?: { readonly list?: readonly AnnotationJson[] };
  readonly __inputs?: readonly { readonly name?: string; readonly pluginId?: string }[];
  readonly __requires?: readonly { readonly type?: string; readonly id?: string }[];
}

export interface DataSourceJson {
  readonly type?: string;
  readonly uid?: string;
}

export interface PanelJson {
  readonly id?: number;
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: DataSourceJson;
  readonly targets?: readonly TargetJson[];
  readonly transformations?: readonly TransformationJson[];
  readonly fieldConfig?: {
    readonly defaults?: {
      readonly unit?: string;
      readonly links?: readonly { readonly title?: string; readonly url?: string }[];
    };
    readonly overrides?: readonly OverrideJson[];
  };
  readonly options?: { readonly sortBy?: readonly { readonly displayName?: string }[] };
  /** Of a folded row. */
  readonly panels?: readonly PanelJson[];
}

export interface TargetJson {
  readonly refId?: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly format?: string;
  readonly datasource?: DataSourceJson;
}

export interface TransformationJson {
  readonly id?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface OverrideJson {
  readonly matcher?: { readonly id?: string; readonly options?: unknown };
  readonly properties?: readonly { readonly id?: string; readonly value?: unknown }[];
}

export interface VariableJson {
  readonly name?: string;
  readonly type?: string;
  readonly query?: string | { readonly query?: string };
  readonly regex?: string;
  readonly options?: readonly { readonly value?: string | readonly string[] }[];
  readonly current?: { readonly value?: string | readonly string[] };
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly datasource?: DataSourceJson;
}

export interface AnnotationJson {
  readonly name?: string;
  readonly expr?: string;
  readonly titleFormat?: string;
  readonly textFormat?: string;
  readonly tagKeys?: string;
  readonly datasource?: DataSourceJson;
}

/** A panel and where it is: the dashboard, the row if there is one, its title. */
export interface PlacedPanel {
  readonly place: string;
  readonly panel: PanelJson;
}

/** The panels without the rows, with those inside of folded ones. `name` is the dashboard's. */
export function panelsOf(name: string, dashboard: DashboardJson): PlacedPanel[] {
  let row = "";
  return (dashboard.panels ?? []).flatMap((panel) => {
    if (panel.type === "row") row = panel.title ?? "";
    const panels = panel.type === "row" ? (panel.panels ?? []) : [panel];
    return panels.map((one) => ({
      place: at(name, row, one.title || `panel ${one.id}`),
      panel: one,
    }));
  });
}

export function variablesOf(dashboard: DashboardJson): readonly VariableJson[] {
  return dashboard.templating?.list ?? [];
}

/** Something that is asked of Prometheus. */
export interface Question {
  readonly place: string;
  readonly expr: string;
  /** Texts in which `{{label}}` stands for a label of the answer. */
  readonly texts: readonly string[];
  /** Labels of the answer that are asked for in another way. */
  readonly labels: readonly string[];
  /** The query of a panel that asks it. */
  readonly target?: TargetJson;
}

/** What the panels, the annotations and the variables ask. `name` is the dashboard's. */
export function questionsOf(name: string, dashboard: DashboardJson): Question[] {
  return [
    ...panelsOf(name, dashboard).flatMap(panelQuestions),
    ...(dashboard.annotations?.list ?? []).flatMap((annotation) =>
      annotationQuestion(name, annotation),
    ),
    ...variablesOf(dashboard).flatMap((variable) => variableQuestion(name, variable)),
  ];
}

function panelQuestions({ place, panel }: PlacedPanel): Question[] {
  return (panel.targets ?? []).map((target) => {
    const { refId = "?", expr = "", legendFormat = "" } = target;
    return { place: at(place, refId), expr, texts: [legendFormat], labels: [], target };
  });
}

function annotationQuestion(dashboard: string, annotation: AnnotationJson): Question[] {
  const { name = "?", expr, titleFormat = "", textFormat = "", tagKeys = "" } = annotation;
  if (expr === undefined) return [];
  const labels = tagKeys.split(",").flatMap((label) => label.trim() || []);
  return [
    { place: at(dashboard, `annotation ${name}`), expr, texts: [titleFormat, textFormat], labels },
  ];
}

/** The text that Grafana's Prometheus data source is asked for a variable's values. */
export const queryOf = ({ query }: VariableJson): string =>
  (typeof query === "string" ? query : query?.query) ?? "";

/** The expression in `label_values(EXPR, LABEL)` or `query_result(EXPR)`; `label_values(LABEL)` has none. */
function variableQuestion(dashboard: string, variable: VariableJson): Question[] {
  if (variable.type !== "query") return [];
  const place = at(dashboard, `variable ${variable.name}`);
  const query = queryOf(variable).trim();
  const values = /^label_values\((.*),\s*([a-zA-Z_]\w*)\s*\)$/s.exec(query);
  if (values) return [{ place, expr: values[1] ?? "", texts: [], labels: [values[2] ?? ""] }];
  const result = /^query_result\((.*)\)$/s.exec(query);
  if (!result) return [];
  // Grafana prints the answer as `name{label="value"} 1 1700000000000`, and the regular expression cuts a value out.
  const labels = [...(variable.regex ?? "").matchAll(/(\w+)="/g)].map(([, label = ""]) => label);
  return [{ place, expr: result[1] ?? "", texts: [], labels }];
}

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

/** The panels without the rows, with those inside of folded ones. */
export function panelsOf(dashboard: DashboardJson): PanelJson[] {
  return (dashboard.panels ?? []).flatMap((panel) =>
    panel.type === "row" ? [...(panel.panels ?? [])] : [panel],
  );
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
}

/** What the panels, the annotations and the variables ask. `name` is the dashboard's, for the places. */
export function questionsOf(name: string, dashboard: DashboardJson): Question[] {
  const panels = panelsOf(dashboard).flatMap((panel) =>
    (panel.targets ?? []).map(({ refId = "?", expr = "", legendFormat = "" }): Question => ({
      place: at(name, panel.title ?? "", refId),
      expr,
      texts: [legendFormat],
      labels: [],
    })),
  );
  const annotations = (dashboard.annotations?.list ?? [])
    .filter(({ expr }) => expr !== undefined)
    .map(
      ({
        name: title = "?",
        expr = "",
        titleFormat = "",
        textFormat = "",
        tagKeys = "",
      }): Question => ({
        place: at(name, `annotation ${title}`),
        expr,
        texts: [titleFormat, textFormat],
        labels: tagKeys.split(",").flatMap((label) => (label.trim() === "" ? [] : [label.trim()])),
      }),
    );
  const variables = variablesOf(dashboard)
    .filter(({ type }) => type === "query")
    .flatMap((variable): Question[] => {
      const question = variableQuestion(variable);
      return question
        ? [{ ...question, place: at(name, `variable ${variable.name}`), texts: [] }]
        : [];
    });
  return [...panels, ...annotations, ...variables];
}

/** The text that Grafana's Prometheus data source is asked for a variable's values. */
export const queryOf = ({ query }: VariableJson): string =>
  (typeof query === "string" ? query : query?.query) ?? "";

/**
 * The expression in `label_values(EXPR, LABEL)` or `query_result(EXPR)`, and the labels that are read from its answer;
 * undefined where there is none, as in `label_values(LABEL)`.
 */
function variableQuestion(variable: VariableJson): Pick<Question, "expr" | "labels"> | undefined {
  const query = queryOf(variable).trim();
  const values = /^label_values\((.*),\s*([a-zA-Z_]\w*)\s*\)$/s.exec(query);
  if (values) return { expr: values[1] ?? "", labels: [values[2] ?? ""] };
  const result = /^query_result\((.*)\)$/s.exec(query);
  if (!result) return undefined;
  // Grafana prints the answer as `name{label="value"} 1 1700000000000`, and the regular expression cuts a value out.
  const labels = [...(variable.regex ?? "").matchAll(/(\w+)="/g)].map(([, label = ""]) => label);
  return { expr: result[1] ?? "", labels };
}

/**
 * Judges what was drawn: what a person would be misled by or not see, as one finding each.
 *
 * In:  the dashboard's JSON, its drawn scene and what `inspect` read from it.
 * Out: the report with findings, per panel and for the whole dashboard.
 */
import {
  type DataFrame,
  type DataTransformerConfig,
  type Field,
  FieldType,
  LoadingState,
  fieldMatchers,
  getFieldDisplayName,
} from "@grafana/data";
import { type EmbeddedScene, QueryVariable, type VizPanel, sceneGraph } from "@grafana/scenes";
import type { Dashboard, Panel, RowPanel } from "@grafana/schema";
import { type Job, type Unsupported, panelKey } from "./convert";
import { drawnData, layersOf, numbersOf, panelsOf, runnerOf, shownFields } from "./inspect";
import { parseExpression } from "./promql";
import type { PromQuery, PrometheusApi } from "./prometheus";
import type { DashboardReport, Finding, PanelReport } from "./report";
import { transformationFaults } from "./transformations";
import { isUnit, unitFault } from "./units";
import { definedVariables, undefinedVariables } from "./variables";

interface Drawn {
  readonly job: Job;
  readonly scene: EmbeddedScene;
  readonly report: DashboardReport;
  readonly unsupported: readonly Unsupported[];
  readonly prometheus: PrometheusApi;
}

export async function checkDashboard(drawn: Drawn): Promise<DashboardReport> {
  const { job, scene, report, unsupported, prometheus } = drawn;
  const { panels: rows = [], ...rest } = job.dashboard;
  const all = rows.flatMap((row) => [row, ...("panels" in row ? row.panels : [])]);
  const defined = definedVariables(job.dashboard);
  const store = new Store(prometheus);
  const unsupportedOf = (id: number | undefined): Finding[] =>
    unsupported
      .filter(({ panelId }) => panelId === id)
      .map(({ message }) => ({ kind: "unsupported", message }));
  const panels = await Promise.all(
    report.panels.map(async (panelReport) => {
      const json = all.find(({ id }) => panelKey(id) === panelKey(panelReport.id)) as Panel;
      const panel = panelsOf(scene).find(({ state }) => state.key === panelKey(panelReport.id))!;
      const findings = [
        ...undefinedIn(json, defined),
        ...unsupportedOf(panelReport.id),
        ...(await checkPanel({ json, panel, report: panelReport, store })),
      ];
      return { ...panelReport, findings: unique(findings) };
    }),
  );
  const findings = [
    ...undefinedIn(rest, defined),
    ...all.filter(isRow).flatMap((row) => [...undefinedIn(row, defined), ...unsupportedOf(row.id)]),
    ...unsupportedOf(undefined),
    ...checkIds(job.dashboard, all),
    ...checkVariables(scene),
    ...checkAnnotations(scene, report),
  ];
  return { ...report, panels, findings: unique(findings) };
}

const isRow = ({ type }: Panel | RowPanel) => type === "row";

const undefinedIn = (json: unknown, defined: Set<string>): Finding[] =>
  undefinedVariables(json, defined).map((message) => ({ kind: "undefined variable", message }));

/** Two panels of one id are one to the audit, and to links in Grafana. */
function checkIds({ title }: Dashboard, all: readonly (Panel | RowPanel)[]): Finding[] {
  const ids = all.map(({ id }) => id ?? 0);
  return ids
    .filter((id, index) => ids.indexOf(id) !== index)
    .map((id) => ({
      kind: "same id",
      message: `more than one panel of ${title} has the id ${id}`,
    }));
}

function checkVariables(scene: EmbeddedScene): Finding[] {
  return sceneGraph.getVariables(scene).state.variables.flatMap(({ state }, index) => {
    const variable = sceneGraph.getVariables(scene).state.variables[index]!;
    const { name, error } = state;
    if (error) return { kind: "variable", message: `${name}: ${error.message ?? error}` };
    const empty = variable instanceof QueryVariable && variable.state.options.length === 0;
    return empty
      ? { kind: "variable", message: `${name} has no values: ${queryOf(variable)}` }
      : [];
  });
}

const queryOf = ({ state: { query, regex } }: QueryVariable) =>
  `${JSON.stringify(query)}${regex ? ` of which match ${regex}` : ""}`;

function checkAnnotations(scene: EmbeddedScene, { annotations }: DashboardReport): Finding[] {
  return layersOf(scene).flatMap((layer, index) => {
    const { name, data, isEnabled } = layer.state;
    if (!isEnabled) return [];
    const message = data?.errors?.[0]?.message;
    if (data?.state === LoadingState.Error)
      return { kind: "query error", message: `${name}: ${message}` };
    return annotations[index]?.events === 0
      ? { kind: "no data", message: `annotation ${name}` }
      : [];
  });
}

interface DrawnPanel {
  readonly json: Panel;
  readonly panel: VizPanel;
  readonly report: PanelReport;
  readonly store: Store;
}

async function checkPanel(drawn: DrawnPanel): Promise<Finding[]> {
  const { json, panel, report } = drawn;
  if (panel.state._pluginLoadError)
    return [{ kind: "render error", message: panel.state._pluginLoadError }];
  if (panel.getPlugin()?.meta.skipDataQuery) {
    return report.text === report.title ? [{ kind: "no data", message: "the text is empty" }] : [];
  }
  const { series: raw = [] } = runnerOf(panel)?.state.data ?? {};
  const transformations = (json.transformations ?? []) as DataTransformerConfig[];
  const faults = await transformationFaults(transformations, raw);
  const names = await checkNames(drawn);
  return [
    ...checkRendering(drawn),
    ...checkQueries(drawn, raw, names),
    ...names,
    ...faults.map((message) => ({ kind: "transformation", message })),
    ...checkOverrides(drawn),
    ...checkLegend(drawn, raw),
    ...checkUnits(drawn),
    ...checkLinks(drawn),
  ];
}

function checkRendering({ panel, report }: DrawnPanel): Finding[] {
  const findings: Finding[] = [];
  const { errors = [], error } = sceneGraph.getData(panel).state.data ?? {};
  for (const { message, refId } of error ? [...errors, error] : errors) {
    findings.push({ kind: "query error", message: `${refId ? `query ${refId}: ` : ""}${message}` });
  }
  const phrase = "An unexpected error happened";
  if (report.text.includes(phrase)) findings.push({ kind: "render error", message: phrase });
  return findings;
}

/** A query that gives nothing is one, also beside others that give something. */
function checkQueries({ panel }: DrawnPanel, raw: DataFrame[], names: Finding[]): Finding[] {
  if (queriesOf(panel).length === 0)
    return [{ kind: "no data", message: "the panel has no queries" }];
  return queriesOf(panel).flatMap((query) => {
    // An unknown name says it better.
    if (names.some(({ message }) => message.endsWith(` in query ${query.refId}`))) return [];
    const frames = raw.filter(({ refId }) => refId === query.refId);
    const fields = frames.flatMap((frame) =>
      frame.fields.filter(({ type }) => type === FieldType.number),
    );
    if (fields.some((field) => numbersOf(field).length > 0)) return [];
    const what = fields.length > 0 ? "gives no number but NaN or infinities" : "gives nothing";
    return { kind: "no data", message: `query ${query.refId} ${what}: ${exprOf(panel, query)}` };
  });
}

/** What is hidden is not asked. */
const queriesOf = (panel: VizPanel): PromQuery[] =>
  ((runnerOf(panel)?.state.queries ?? []) as PromQuery[]).filter(({ hide }) => !hide);

const exprOf = (panel: VizPanel, { expr = "" }: PromQuery): string => panel.interpolate(expr);

/** `or vector(0)` makes a number of a misspelt metric, and a misspelt label in `by` a total: names are looked up. */
async function checkNames({ panel, store }: DrawnPanel): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const query of queriesOf(panel)) {
    const { selectors, groupingLabels, madeLabels } = store.parse(panel, query);
    const labels = new Set([...madeLabels, "le", "quantile"]);
    let complete = true;
    for (const selector of selectors) {
      if (selector.metric === undefined) {
        complete = false;
        continue;
      }
      const own = await store.labelsOf(selector.metric);
      if (own.size === 0) {
        complete = false;
        findings.push({
          kind: "unknown metric",
          message: `${selector.metric} in query ${query.refId}`,
        });
        continue;
      }
      for (const label of own) labels.add(label);
      for (const label of selector.labels.filter((label) => !own.has(label))) {
        const message = `${label} of ${selector.metric} in query ${query.refId}`;
        findings.push({ kind: "unknown label", message });
      }
    }
    for (const label of complete ? groupingLabels.filter((label) => !labels.has(label)) : []) {
      findings.push({ kind: "unknown label", message: `${label} in query ${query.refId}` });
    }
  }
  return findings;
}

function checkOverrides({ json, panel }: DrawnPanel): Finding[] {
  const { series = [] } = sceneGraph.getData(panel).state.data ?? {};
  const registry = panel.getPlugin()?.fieldConfigRegistry;
  const { overrides = [], defaults } = json.fieldConfig ?? {};
  const custom = Object.keys(defaults?.custom ?? {}).map((id) => `custom.${id}`);
  const ids = [...custom, ...overrides.flatMap(({ properties }) => properties.map(({ id }) => id))];
  const findings: Finding[] = ids
    .filter((id) => !registry?.getIfExists(id))
    .map((id) => ({ kind: "unsupported", message: `field property ${JSON.stringify(id)}` }));
  for (const { matcher } of overrides) {
    const name = `${matcher.id} ${JSON.stringify(matcher.options)}`;
    const info = fieldMatchers.getIfExists(matcher.id);
    if (!info) findings.push({ kind: "override", message: `unknown matcher ${name}` });
    else if (series.length > 0) {
      const matches = info.get(matcher.options);
      const hit = series.some((frame) =>
        frame.fields.some((field) => matches(field, frame, series)),
      );
      if (!hit) findings.push({ kind: "override", message: `${name} matches nothing` });
    }
  }
  return findings;
}

/** Labels in braces, an expression, "Value #A": what Grafana writes where the dashboard gives no name. */
function checkLegend({ panel, report, json }: DrawnPanel, raw: DataFrame[]): Finding[] {
  const findings: Finding[] = [];
  for (const { refId, legendFormat = "", format } of queriesOf(panel)) {
    const frames = raw.filter((frame) => frame.refId === refId);
    if (format === "table" || format === "heatmap" || frames.length === 0) continue;
    for (const [, label = ""] of legendFormat.matchAll(/\{\{\s*(.+?)\s*\}\}/g)) {
      const has = frames.some(({ fields }) => fields.some(({ labels }) => labels?.[label]));
      if (!has)
        findings.push({
          kind: "raw legend",
          message: `no series of query ${refId} has the label ${label}`,
        });
    }
  }
  if (json.type === "heatmap" || !showsNames(json, report)) return findings;
  const names = report.values.map(({ name }) => name);
  const raws = names.filter((name) =>
    /^Value( #\w+)?$|^Trend #|=["']|\{\{|^\s*$|\[\[\w+\]\]|\$\w|\$\{/.test(name),
  );
  findings.push(...raws.map((name) => ({ kind: "raw legend", message: JSON.stringify(name) })));
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  findings.push(...twice.map((name) => ({ kind: "same name", message: JSON.stringify(name) })));
  return findings;
}

/** A stat shows the name of its value only where there are several, and a chart none without a legend. */
function showsNames({ type, options }: Panel, { values }: PanelReport): boolean {
  const { legend, textMode = "auto" } = (options ?? {}) as {
    legend?: { showLegend?: boolean };
    textMode?: string;
  };
  if (type === "timeseries") return legend?.showLegend !== false;
  if (type === "stat") return /name/.test(textMode) || (textMode === "auto" && values.length > 1);
  return type !== "bargauge" || values.length > 1;
}

function checkUnits({ panel, store }: DrawnPanel): Finding[] {
  const heatmapUnit = (panel.state.options as { yAxis?: { unit?: string } }).yAxis?.unit;
  return drawnData(panel).series.flatMap((frame) =>
    shownFields(frame)
      .filter(({ type }) => type === FieldType.number || type === FieldType.frame)
      .flatMap((field): Finding[] => {
        const unit = heatmapUnit ?? field.config.unit ?? "";
        if (!isUnit(unit))
          return [{ kind: "unit", message: `unknown unit ${JSON.stringify(unit)}` }];
        const query = queryBehind(panel, field, frame);
        if (!query) return [];
        const expression = store.parse(panel, query);
        const dimension =
          query.format === "heatmap" ? store.observed(panel, query) : expression.dimension;
        const fault = dimension && !dimension.literal ? unitFault(unit, dimension) : undefined;
        return fault
          ? [
              {
                kind: "unit",
                message: `${JSON.stringify(unit)} for query ${query.refId}, which ${fault}`,
              },
            ]
          : [];
      }),
  );
}

/** The query whose values a field holds; a calculated field has none. */
function queryBehind(panel: VizPanel, field: Field, frame: DataFrame): PromQuery | undefined {
  const letter = /^(?:Value|Trend) #(\w+)$/.exec(field.name)?.[1];
  const isValue = field.name === "Value" || frame.meta?.type?.toString().startsWith("heatmap");
  const refId = letter ?? (isValue ? frame.refId : undefined);
  return queriesOf(panel).find((query) => query.refId === refId);
}

/** `${__data.fields["Run"]}` in a link: the column must be there. */
function checkLinks({ json, panel }: DrawnPanel): Finding[] {
  const { series } = drawnData(panel);
  if (series.length === 0) return [];
  const names = new Set(
    series.flatMap((frame) =>
      frame.fields.flatMap((field) => [field.name, getFieldDisplayName(field, frame, series)]),
    ),
  );
  const used = JSON.stringify(json.fieldConfig ?? {}).matchAll(
    /__data\.fields(?:\.([^.:}"\\[\]]+)|\[\\?["']?([^"'\\\]]+))/g,
  );
  return [...used]
    .map(([, dotted, quoted]) => dotted ?? quoted ?? "")
    .filter((name) => !/^\d+$/.test(name) && !names.has(name))
    .map((name) => ({
      kind: "link",
      message: `no field ${JSON.stringify(name)} for __data.fields`,
    }));
}

const unique = (findings: Finding[]): Finding[] => [
  ...new Map(findings.map((finding) => [`${finding.kind} ${finding.message}`, finding])).values(),
];

/** Asks Prometheus once for what several panels want to know. */
class Store {
  readonly #labels = new Map<string, Promise<Set<string>>>();
  readonly #prometheus: PrometheusApi;

  constructor(prometheus: PrometheusApi) {
    this.#prometheus = prometheus;
  }

  /** With every variable filled in, also those of time. */
  parse(panel: VizPanel, query: PromQuery) {
    const request = runnerOf(panel)?.state.data?.request;
    const expr = query.expr ?? "";
    return parseExpression(
      request ? this.#prometheus.interpolate(expr, request as never, query) : expr,
    );
  }

  /** What the histogram of a heat map measures. */
  observed(panel: VizPanel, query: PromQuery) {
    const [selector] = this.parse(panel, query).selectors;
    return parseExpression(selector?.metric?.replace(/_bucket$/, "") ?? "").dimension;
  }

  /** The labels that any series of the metric has; empty where there is no series. */
  labelsOf(metric: string): Promise<Set<string>> {
    const answer =
      this.#labels.get(metric) ??
      this.#prometheus
        .get<string[]>("labels", { "match[]": `{__name__=${JSON.stringify(metric)}}` })
        .then((names) => new Set(names));
    this.#labels.set(metric, answer);
    return answer;
  }
}

/**
 * Turns a dashboard's JSON (schema v1, as Grafana imports and exports it) into scene objects.
 *
 * In:  the dashboard, the time range and values for its variables.
 * Out: a scene that queries and draws as Grafana would, every row open, and what the JSON asks for and this does not
 *      do: nothing is left out silently.
 */
import {
  type AnnotationQuery,
  type DataTransformerConfig,
  dateMath,
  rangeUtil,
} from "@grafana/data";
import {
  ConstantVariable,
  CustomVariable,
  DataSourceVariable,
  EmbeddedScene,
  IntervalVariable,
  QueryVariable,
  SceneControlsSpacer,
  SceneDataLayerSet,
  SceneDataTransformer,
  SceneGridItem,
  SceneGridLayout,
  SceneGridRow,
  SceneQueryRunner,
  SceneTimePicker,
  SceneTimeRange,
  type SceneVariable,
  SceneVariableSet,
  TextBoxVariable,
  VariableValueSelectors,
  VizPanel,
  dataLayers,
} from "@grafana/scenes";
import type { Dashboard, Panel, RowPanel, VariableModel } from "@grafana/schema";
import { panelTypes } from "./panels";

export interface Job {
  readonly dashboard: Dashboard;
  /** Unix milliseconds or an expression such as "now-1h"; by default what the dashboard has. */
  readonly from?: string;
  readonly to?: string;
  readonly variables: Record<string, string[]>;
}

export interface Unsupported {
  /** Undefined where it concerns the whole dashboard. */
  readonly panelId?: number;
  readonly message: string;
}

export interface Converted {
  readonly scene: EmbeddedScene;
  readonly unsupported: Unsupported[];
}

export const panelKey = (id: number | undefined): string => `panel-${id ?? 0}`;

export function toScene({ dashboard, from, to, variables }: Job): Converted {
  const unsupported: Unsupported[] = [];
  const range = {
    from: isoOf(from ?? dashboard.time?.from ?? "now-6h"),
    to: isoOf(to ?? dashboard.time?.to ?? "now"),
  };
  const report = (message: string, panelId?: number) =>
    unsupported.push({ message, ...(panelId !== undefined && { panelId }) });
  const panel = (json: Panel) => toGridItem(json, range, (message) => report(message, json.id));
  const set = (dashboard.templating?.list ?? []).flatMap(
    (json) => toVariable(json, variables[json.name], report) ?? [],
  );
  const layers = (dashboard.annotations?.list ?? [])
    .filter((annotation) => !annotation.builtIn)
    .map(
      (annotation, index) =>
        new dataLayers.AnnotationsDataLayer({
          key: `annotation-${index}`,
          name: annotation.name,
          query: annotation as unknown as AnnotationQuery,
          isEnabled: annotation.enable !== false,
          isHidden: annotation.hide ?? false,
        }),
    );
  const scene = new EmbeddedScene({
    $timeRange: new SceneTimeRange({ ...range, timeZone: "utc" }),
    $variables: new SceneVariableSet({ variables: set }),
    $data: new SceneDataLayerSet({ layers }),
    controls: [
      new VariableValueSelectors({}),
      new SceneControlsSpacer(),
      new SceneTimePicker({ isOnCanvas: true }),
    ],
    body: new SceneGridLayout({ children: toRows(dashboard.panels ?? [], panel, report) }),
  });
  return { scene, unsupported };
}

/** A row holds the panels that follow it until the next row; a collapsed one has them inside. */
function toRows(
  panels: readonly (Panel | RowPanel)[],
  toItem: (panel: Panel) => SceneGridItem,
  report: (message: string, panelId?: number) => void,
): (SceneGridItem | SceneGridRow)[] {
  const loose: SceneGridItem[] = [];
  const rows: { json: RowPanel; y: number; children: SceneGridItem[] }[] = [];
  // Opening a collapsed row moves down what stands below it.
  let shift = 0;
  for (const json of panels) {
    if (!isRow(json)) {
      const item = toItem(json);
      item.setState({ y: (item.state.y ?? 0) + shift });
      (rows.at(-1)?.children ?? loose).push(item);
      continue;
    }
    if (json.repeat) report(`repeats the row by ${json.repeat}`, json.id);
    const y = (json.gridPos?.y ?? 0) + shift;
    const children = json.panels.map(toItem);
    if (children.length > 0) {
      const top = Math.min(...children.map(({ state }) => state.y ?? 0));
      const bottom = Math.max(...children.map(({ state }) => (state.y ?? 0) + (state.height ?? 0)));
      for (const item of children) item.setState({ y: (item.state.y ?? 0) - top + y + 1 });
      shift += bottom - top;
    }
    rows.push({ json, y, children });
  }
  return [
    ...loose,
    ...rows.map(
      ({ json, y, children }) =>
        new SceneGridRow({ key: panelKey(json.id), title: json.title ?? "", y, children }),
    ),
  ];
}

/** What a panel may have; `libraryPanel`, `repeat` and the rest are findings where they are set. */
const panelKeys = new Set(
  (
    "id type title description gridPos datasource targets transformations fieldConfig options links transparent " +
    "interval maxDataPoints timeFrom timeShift hideTimeOverride pluginVersion repeatDirection maxPerRow"
  ).split(" "),
);

function toGridItem(
  json: Panel,
  range: { from: string; to: string },
  report: (message: string) => void,
): SceneGridItem {
  for (const [key, value] of Object.entries(json)) {
    if (!panelKeys.has(key) && value) report(`panel property ${JSON.stringify(key)}`);
  }
  const type = panelTypes[json.type];
  if (!type) report(`panel type ${JSON.stringify(json.type)}`);
  else {
    const known = new Set([...Object.keys(type.options), ...(type.ignored ?? "").split(" ")]);
    for (const key of Object.keys(json.options ?? {})) {
      if (!known.has(key)) report(`option ${JSON.stringify(key)} of ${json.type}`);
    }
  }
  const types = [json, ...(json.targets ?? [])].map(
    ({ datasource }) => datasource as { type?: string },
  );
  for (const { type = "prometheus" } of types.filter(Boolean)) {
    if (type !== "prometheus") report(`data source of type ${JSON.stringify(type)}`);
  }
  const runner = new SceneQueryRunner({
    queries: (json.targets ?? []) as { refId: string }[],
    datasource: (json.datasource as { uid: string; type: string }) ?? { uid: "prometheus" },
    ...(json.interval && { minInterval: json.interval }),
    ...(json.maxDataPoints
      ? { maxDataPoints: json.maxDataPoints }
      : { maxDataPointsFromWidth: true }),
  });
  const transformations = (json.transformations ?? []).filter(
    ({ disabled }) => !disabled,
  ) as DataTransformerConfig[];
  const own = toOwnRange(json, range);
  const body = new VizPanel({
    key: panelKey(json.id),
    pluginId: json.type,
    title: json.title ?? "",
    ...(json.description && { description: json.description }),
    options: structuredClone(json.options ?? {}),
    fieldConfig: structuredClone(json.fieldConfig ?? { defaults: {}, overrides: [] }) as never,
    displayMode: json.transparent ? "transparent" : "default",
    hoverHeader: !json.title,
    ...(own && { $timeRange: own }),
    ...(!type?.textOnly && { $data: new SceneDataTransformer({ $data: runner, transformations }) }),
  });
  const { x = 0, y = 0, w: width = 12, h: height = 8 } = json.gridPos ?? {};
  return new SceneGridItem({ x, y, width, height, body });
}

/** `timeFrom` ends where the dashboard's range does; `timeShift` moves both ends back. */
function toOwnRange({ timeFrom, timeShift }: Panel, range: { from: string; to: string }) {
  if (!timeFrom && !timeShift) return undefined;
  const shiftMs = timeShift ? rangeUtil.intervalToMs(timeShift) : 0;
  const toMs = Date.parse(range.to);
  const fromMs = timeFrom ? toMs - rangeUtil.intervalToMs(timeFrom) : Date.parse(range.from);
  const iso = (ms: number) => new Date(ms - shiftMs).toISOString();
  return new SceneTimeRange({ from: iso(fromMs), to: iso(toMs), timeZone: "utc" });
}

function toVariable(
  json: VariableModel,
  given: string[] | undefined,
  report: (message: string) => void,
): SceneVariable | undefined {
  const { name, current, includeAll, allValue, multi: isMulti, query } = json;
  const chosen = given ?? current?.value;
  const value = Array.isArray(chosen) && !isMulti ? chosen[0] : chosen;
  const common = {
    name,
    label: json.label ?? undefined,
    hide: json.hide,
    skipUrlSync: json.skipUrlSync,
  };
  const choice = {
    ...common,
    isMulti: isMulti ?? false,
    includeAll: includeAll ?? false,
    ...(allValue && { allValue }),
    ...(value !== undefined && { value, text: given ? value : (current?.text ?? value) }),
  } as { name: string };
  switch (json.type) {
    case "datasource":
      return new DataSourceVariable({
        ...choice,
        pluginId: String(query),
        regex: json.regex ?? "",
      });
    case "query":
      return new QueryVariable({
        ...choice,
        query: (query ?? "") as string,
        datasource: json.datasource ?? null,
        regex: json.regex ?? "",
        sort: json.sort ?? 0,
        refresh: json.refresh ?? 1,
      });
    case "custom":
      return new CustomVariable({ ...choice, query: String(query ?? "") });
    case "constant":
      return new ConstantVariable({ ...common, value: given?.[0] ?? String(query ?? "") });
    case "textbox":
      return new TextBoxVariable({ ...common, value: String(value ?? query ?? "") });
    case "interval": {
      const intervals = String(query ?? "")
        .split(",")
        .map((text) => text.trim());
      return new IntervalVariable({ ...common, intervals, value: String(value ?? intervals[0]) });
    }
    default:
      report(`variable ${JSON.stringify(name)} of type ${JSON.stringify(json.type)}`);
      return undefined;
  }
}

const isRow = (json: Panel | RowPanel): json is RowPanel => json.type === "row";

/** Absolute, so that all panels and later evaluations see the same range. */
function isoOf(text: string): string {
  const time = /^\d+$/.test(text)
    ? new Date(Number(text))
    : dateMath.toDateTime(text, {})?.toDate();
  if (!time || Number.isNaN(time.getTime()))
    throw new Error(`cannot read the time ${JSON.stringify(text)}`);
  return time.toISOString();
}

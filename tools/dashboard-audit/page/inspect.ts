/**
 * Reads what a person sees from a drawn scene: titles, names, formatted values, units, texts.
 */
import {
  type DataFrame,
  DataFrameType,
  type DisplayValue,
  type Field,
  FieldType,
  LoadingState,
  type PanelData,
  formattedValueToString,
  getFieldDisplayName,
  getFieldDisplayValues,
  getValueFormat,
} from "@grafana/data";
import { config } from "@grafana/runtime";
import {
  type EmbeddedScene,
  MultiValueVariable,
  SceneDataLayerSet,
  SceneDataTransformer,
  SceneQueryRunner,
  VizPanel,
  sceneGraph,
} from "@grafana/scenes";
import type { Dashboard } from "@grafana/schema";
import { pendingRequests } from "./prometheus";
import type { DashboardReport, PanelReport, ValueReport } from "./report";

export function inspect(dashboard: Dashboard, scene: EmbeddedScene): DashboardReport {
  const variables = sceneGraph.getVariables(scene).state.variables.map((variable) => ({
    name: variable.state.name,
    value: textOf(variable.getValueText?.() ?? variable.getValue()),
    options: variable instanceof MultiValueVariable ? variable.state.options.length : 1,
  }));
  return {
    uid: dashboard.uid ?? "",
    title: dashboard.title ?? "",
    variables,
    annotations: layersOf(scene).map((layer) => ({
      name: layer.state.name,
      events: layer.state.data?.series.reduce((sum, frame) => sum + frame.length, 0) ?? 0,
    })),
    panels: panelsOf(scene).map(inspectPanel),
    findings: [],
  };
}

export const panelsOf = (scene: EmbeddedScene): VizPanel[] =>
  sceneGraph.findAllObjects(scene, (object) => object instanceof VizPanel) as VizPanel[];

export const layersOf = (scene: EmbeddedScene) =>
  scene.state.$data instanceof SceneDataLayerSet ? scene.state.$data.state.layers : [];

/** Whether all queries have their answers and all panels have drawn them. */
export function isSettled(scene: EmbeddedScene): boolean {
  const loading = sceneGraph.getVariables(scene).state.variables.some(({ state }) => state.loading);
  const done = panelsOf(scene).every((panel) => {
    const type = panel.getPlugin();
    if (!type) return panel.state._pluginLoadError !== undefined;
    const state = sceneGraph.getData(panel).state.data?.state;
    return type.meta.skipDataQuery || !runnerOf(panel)?.state.queries.length
      ? true
      : state === LoadingState.Done || state === LoadingState.Error;
  });
  return pendingRequests === 0 && !loading && done;
}

/** What the panel's queries answered, before its transformations. */
export function runnerOf(panel: VizPanel): SceneQueryRunner | undefined {
  const data = panel.state.$data;
  const inner = data instanceof SceneDataTransformer ? data.state.$data : data;
  return inner instanceof SceneQueryRunner ? inner : undefined;
}

/** The frames that the panel draws: transformed, with overrides applied. */
export function drawnData(panel: VizPanel): PanelData {
  return panel.applyFieldConfig(sceneGraph.getData(panel).state.data);
}

export const elementOf = (panel: VizPanel): HTMLElement | null =>
  document.querySelector(`[data-viz-panel-key="${panel.state.key}"]`);

function inspectPanel(panel: VizPanel): PanelReport {
  const { series } = drawnData(panel);
  return {
    id: panel.getLegacyPanelId(),
    type: panel.state.pluginId,
    title: panel.interpolate(panel.state.title, undefined, "text"),
    values: valuesOf(panel, series),
    text: elementOf(panel)?.innerText.trim() ?? "",
    findings: [],
  };
}

function valuesOf(panel: VizPanel, series: DataFrame[]): ValueReport[] {
  const { pluginId } = panel.state;
  if (pluginId === "heatmap") return bucketValues(panel, series);
  return pluginId === "stat" || pluginId === "bargauge"
    ? reducedValues(panel, series)
    : fieldValues(series);
}

/** How many buckets a heat map has, and their lowest and highest bound. */
function bucketValues({ state }: VizPanel, [frame]: DataFrame[]): ValueReport[] {
  const [, low, high, ...rest] = frame?.fields ?? [];
  if (!low || !high) return [];
  const unit =
    (state.options as { yAxis?: { unit?: string } }).yAxis?.unit ?? low.config.unit ?? "";
  const format = (value: number) => formattedValueToString(getValueFormat(unit)(value));
  const isNative = frame?.meta?.type === DataFrameType.HeatmapCells;
  const bounds = isNative
    ? [...numbersOf(low), ...numbersOf(high)]
    : [low, high, ...rest].map(({ name }) => Number(name)).filter(Number.isFinite);
  const [min = "", max = ""] = [Math.min(...bounds), Math.max(...bounds)].map(format);
  const value = isNative ? `${frame!.length} cells` : `${bounds.length} rows`;
  return [{ name: "buckets", value, unit, min, max }];
}

function reducedValues(panel: VizPanel, series: DataFrame[]): ValueReport[] {
  return getFieldDisplayValues({
    data: series,
    reduceOptions: (panel.state.options as { reduceOptions: { calcs: string[] } }).reduceOptions,
    fieldConfig: panel.state.fieldConfig,
    replaceVariables: panel.interpolate,
    theme: config.theme2,
    timeZone: "utc",
  }).map(({ display, field }) => ({
    name: display.title ?? "",
    value: formattedValueToString(display),
    unit: field.unit ?? "",
    min: "",
    max: "",
  }));
}

function fieldValues(series: DataFrame[]): ValueReport[] {
  return series.flatMap((frame) =>
    shownFields(frame).map((field) => {
      const format = (value: unknown) =>
        field.display
          ? textOf(formattedValueToString(field.display(value) as DisplayValue))
          : textOf(value);
      const numbers = numbersOf(field);
      const isSeries = frame.fields[0]?.type === FieldType.time && field.type === FieldType.number;
      const shown = isSeries ? numbers.at(-1) : field.values[0];
      const extreme = (pick: (a: number, b: number) => number) =>
        numbers.length > 0 && field.type === FieldType.number
          ? format(numbers.reduce((a, b) => pick(a, b)))
          : "";
      return {
        name: getFieldDisplayName(field, frame, series),
        value: shown === undefined || shown === null ? "" : format(shown),
        unit: field.config.unit ?? "",
        min: extreme(Math.min),
        max: extreme(Math.max),
      };
    }),
  );
}

/** Without the time axis of a series and without hidden columns. */
export function shownFields(frame: DataFrame): Field[] {
  const custom = (field: Field) =>
    field.config.custom as { hidden?: boolean; hideFrom?: { viz?: boolean } };
  const isSeries = frame.meta?.type !== undefined && frame.fields[0]?.type === FieldType.time;
  return frame.fields.filter(
    (field, index) =>
      !(isSeries && index === 0) && !custom(field)?.hidden && !custom(field)?.hideFrom?.viz,
  );
}

export const numbersOf = (field: Field): number[] =>
  field.values.filter(
    (value): value is number => typeof value === "number" && Number.isFinite(value),
  );

const textOf = (value: unknown): string => (typeof value === "string" ? value : String(value));

/**
 * The panel types of Grafana's core, built on the components that its libraries publish. Its own panel plugins are
 * not published: what is here is the part of each that a person reads, which is names, values, units and colours.
 */
import {
  type FieldConfigPropertyItem,
  PanelPlugin,
  type PanelProps,
  FieldConfigProperty,
  VizOrientation,
  cacheFieldDisplayNames,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  renderTextPanelMarkdown,
} from "@grafana/data";
import { config } from "@grafana/runtime";
import { sceneUtils } from "@grafana/scenes";
import {
  BarGaugeDisplayMode,
  BarGaugeNamePlacement,
  BarGaugeValueMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  PercentChangeColorMode,
  TableCellHeight,
} from "@grafana/schema";
import type { Options as BarGaugeOptions } from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as TableOptions } from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type { Options as TextOptions } from "@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen";
import type { Options as TimeSeriesOptions } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
import { BarGauge, BigValue, TimeSeries, VizRepeater } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { Annotations } from "./annotations";
import { HeatmapPanel } from "./heatmap";
import { NoData } from "./no-data";
import { fieldProperty } from "./registries";

function TimeSeriesPanel(props: PanelProps<TimeSeriesOptions>) {
  const { data, width, height, timeRange, timeZone, options } = props;
  const frames = data.series.filter((frame) => frame.fields.some(({ type }) => type === "number"));
  const hasTime = frames.some((frame) => frame.fields.some(({ type }) => type === "time"));
  if (frames.length === 0 || !hasTime) return <NoData {...props} />;
  return (
    <TimeSeries
      {...{ frames, width, height, timeRange, timeZone }}
      structureRev={data.structureRev ?? 0}
      legend={options.legend}
      options={options}
    >
      {(builder) => <Annotations builder={builder} frames={data.annotations ?? []} />}
    </TimeSeries>
  );
}

function StatPanel(props: PanelProps<StatOptions>) {
  const { data, width, height, options, renderCounter } = props;
  return (
    <VizRepeater
      {...{ width, height, renderCounter }}
      source={data}
      orientation={options.orientation}
      itemSpacing={3}
      autoGrid
      getValues={() => displayValues(props, options.graphMode !== BigValueGraphMode.None)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, alignmentFactors, count }) => (
        <BigValue
          {...{ width, height, alignmentFactors, count }}
          value={value.display}
          {...(value.sparkline && { sparkline: value.sparkline })}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          percentChangeColorMode={options.percentChangeColorMode}
          disableWideLayout={!options.wideLayout}
          {...(options.text && { text: options.text })}
          theme={config.theme2}
        />
      )}
    />
  );
}

function BarGaugePanel(props: PanelProps<BarGaugeOptions>) {
  const { data, width, height, options, renderCounter } = props;
  return (
    <VizRepeater
      {...{ width, height, renderCounter }}
      source={data}
      orientation={options.orientation}
      itemSpacing={10}
      minVizWidth={options.minVizWidth}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      getValues={() => displayValues(props, false)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, orientation, alignmentFactors, count }) => (
        <BarGauge
          {...{ width, height, orientation, alignmentFactors }}
          value={count > 1 ? value.display : { ...value.display, title: "" }}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex ?? 0)}
          displayMode={options.displayMode}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          showUnfilled={options.showUnfilled}
          {...(options.text && { text: options.text })}
          itemSpacing={10}
          theme={config.theme2}
        />
      )}
    />
  );
}

function TablePanel(props: PanelProps<TableOptions>) {
  const { data, width, height, options, fieldConfig, timeRange } = props;
  const frame = data.series[options.frameIndex] ?? data.series[0];
  if (!frame || frame.fields.length === 0) return <NoData {...props} />;
  // The header shows the cached names, and without them those from before `organize`.
  cacheFieldDisplayNames(data.series);
  return (
    <TableNG
      {...{ width, height, fieldConfig, timeRange }}
      data={frame}
      noHeader={!options.showHeader}
      cellHeight={options.cellHeight ?? TableCellHeight.Sm}
      sortBy={options.sortBy ?? []}
      enablePagination={options.enablePagination ?? false}
      frozenColumns={options.frozenColumns?.left ?? 0}
      structureRev={data.structureRev ?? 0}
      // Rows outside the visible part would not be in the page's text.
      enableVirtualization={false}
    />
  );
}

function TextPanel({ options, replaceVariables }: PanelProps<TextOptions>) {
  const content = replaceVariables(options.content, {}, "text");
  const html = options.mode === "html" ? content : renderTextPanelMarkdown(content);
  return <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />;
}

const displayValues = (
  props: Omit<PanelProps, "options"> & { options: StatOptions | BarGaugeOptions },
  sparkline: boolean,
) =>
  getFieldDisplayValues({
    data: props.data.series,
    reduceOptions: props.options.reduceOptions,
    fieldConfig: props.fieldConfig,
    replaceVariables: props.replaceVariables,
    sparkline,
    percentChange: "showPercentChange" in props.options && props.options.showPercentChange,
    theme: config.theme2,
    timeZone: props.timeZone,
  });

const reduceOptions = { calcs: ["lastNotNull"], values: false, fields: "" };

const legend = { showLegend: true, displayMode: "list", placement: "bottom", calcs: [] };

/** Fields of `custom` by panel type, from the types of @grafana/schema. */
const lineFields =
  "drawStyle gradientMode insertNulls showValues thresholdsStyle transform lineColor lineInterpolation lineStyle " +
  "lineWidth spanNulls fillBelowTo fillColor fillOpacity pointColor pointSize pointSymbol showPoints " +
  "axisBorderShow axisCenteredZero axisColorMode axisGridShow axisLabel axisPlacement axisSoftMax axisSoftMin " +
  "axisWidth scaleDistribution barAlignment barMaxWidth barWidthFactor stacking hideFrom";
const tableFields =
  "align cellOptions displayMode filterable footer hideHeader inspect minWidth sortable styleField tooltip width " +
  "wrapHeaderText wrapText hideFrom hidden";

const lineDefaults: Record<string, unknown> = {
  drawStyle: GraphDrawStyle.Line,
  lineInterpolation: "linear",
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: "none",
  showPoints: "auto",
  pointSize: 5,
  spanNulls: false,
  axisPlacement: "auto",
  axisGridShow: undefined,
  stacking: { mode: "none", group: "A" },
  thresholdsStyle: { mode: "off" },
  hideFrom: { tooltip: false, viz: false, legend: false },
};
const tableDefaults: Record<string, unknown> = {
  align: "auto",
  cellOptions: { type: "auto" },
  inspect: false,
};

/** As Grafana sets them in a new panel. */
const thresholds = {
  mode: "absolute",
  steps: [
    { value: -Infinity, color: "green" },
    { value: 80, color: "red" },
  ],
};

interface PanelType {
  readonly component: React.ComponentType<never>;
  /** Values where the dashboard has none, as a new panel has them in Grafana. */
  readonly options: Record<string, unknown>;
  /** Options that change neither a name nor a value; with those above, all that a dashboard may set. */
  readonly ignored?: string;
  readonly custom?: { readonly fields: string; readonly defaults: Record<string, unknown> };
  /** What colours a value where the dashboard does not say. */
  readonly color: "thresholds" | "palette-classic";
  readonly annotations?: boolean;
  readonly textOnly?: boolean;
}

export const panelTypes: Record<string, PanelType> = {
  timeseries: {
    component: TimeSeriesPanel,
    color: "palette-classic",
    options: { legend, tooltip: { mode: "single", sort: "none" } },
    ignored: "annotations disableKeyboardEvents orientation timezone",
    custom: { fields: lineFields, defaults: lineDefaults },
    annotations: true,
  },
  stat: {
    component: StatPanel,
    color: "thresholds",
    options: {
      reduceOptions,
      orientation: VizOrientation.Auto,
      colorMode: BigValueColorMode.Value,
      graphMode: BigValueGraphMode.Area,
      justifyMode: BigValueJustifyMode.Auto,
      textMode: BigValueTextMode.Auto,
      percentChangeColorMode: PercentChangeColorMode.Standard,
      showPercentChange: false,
      wideLayout: true,
      text: undefined,
    },
  },
  bargauge: {
    component: BarGaugePanel,
    color: "thresholds",
    options: {
      reduceOptions,
      orientation: VizOrientation.Auto,
      displayMode: BarGaugeDisplayMode.Gradient,
      valueMode: BarGaugeValueMode.Color,
      namePlacement: BarGaugeNamePlacement.Auto,
      showUnfilled: true,
      minVizWidth: 8,
      minVizHeight: 16,
      maxVizHeight: 300,
      text: undefined,
    },
    ignored: "legend sizing",
  },
  table: {
    component: TablePanel,
    color: "thresholds",
    options: {
      frameIndex: 0,
      showHeader: true,
      cellHeight: TableCellHeight.Sm,
      sortBy: undefined,
      enablePagination: undefined,
      frozenColumns: undefined,
    },
    ignored: "disableKeyboardEvents maxRowHeight pageSize showTypeIcons footer",
    custom: { fields: tableFields, defaults: tableDefaults },
  },
  text: {
    component: TextPanel,
    color: "thresholds",
    options: { mode: "markdown", content: "" },
    ignored: "code renderMode",
    textOnly: true,
  },
  heatmap: {
    component: HeatmapPanel,
    color: "thresholds",
    options: {
      calculate: false,
      color: { mode: "scheme", scheme: "Oranges", fill: "dark-orange", exponent: 0.5, steps: 64 },
      yAxis: {},
      cellValues: {},
      filterValues: { le: 1e-9 },
      rowsFrame: {},
    },
    ignored: "annotations cellGap cellRadius exemplars legend selectionMode showValue tooltip",
    custom: { fields: "hideFrom scaleDistribution", defaults: {} },
  },
};

export function registerPanels(): void {
  for (const [pluginId, type] of Object.entries(panelTypes)) {
    const plugin = new PanelPlugin(type.component as React.ComponentType<PanelProps>);
    const { custom } = type;
    plugin.useFieldConfig({
      standardOptions: {
        [FieldConfigProperty.Thresholds]: { defaultValue: thresholds },
        [FieldConfigProperty.Color]: { defaultValue: { mode: type.color } },
      },
      ...(custom && {
        useCustomConfig: (builder) => {
          for (const field of custom.fields.split(" ")) {
            const item = { ...fieldProperty(field), defaultValue: custom.defaults[field] };
            builder.addCustomEditor(item as FieldConfigPropertyItem<object>);
          }
        },
      }),
    });
    plugin.setPanelOptions((builder) => {
      for (const [path, defaultValue] of Object.entries(type.options)) {
        builder.addCustomEditor({ id: path, path, name: path, editor: () => null, defaultValue });
      }
    });
    if (type.annotations) plugin.setDataSupport({ annotations: true, alertStates: false });
    plugin.meta = { ...plugin.meta, skipDataQuery: type.textOnly ?? false };
    sceneUtils.registerRuntimePanelPlugin({ pluginId, plugin });
  }
}

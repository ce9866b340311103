/**
 * Panels, dressed alike: none without a title, a unit, a legend, a data source and a description.
 *
 * In:  what a panel asks and how it is to be read.
 * Out: builders of Grafana's panels, without an id and a place: `dashboard.ts` gives both.
 *
 * A description says what the panel shows and, after "If", what to do when it looks bad.
 */
import { PanelBuilder as BarGaugeBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import * as common from "@grafana/grafana-foundation-sdk/common";
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type DataTransformerConfig,
  type DynamicConfigValue,
  type MatcherConfig,
  type Threshold,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapBuilder,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TextBuilder } from "@grafana/grafana-foundation-sdk/text";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The data source that the variable of this name chose; every panel and variable asks it. */
export const dataSource: common.DataSourceRef = { type: "prometheus", uid: "${datasource}" };

/** What a panel asks Prometheus. */
export interface Query {
  readonly expr: string;
  /** In Grafana's form, e.g. `{{name}}`. In a table it is what a query's value is called. */
  readonly legend: string;
  /** Needed where a transformation or an override names it. Default: `A`, `B`, … in their order. */
  readonly refId?: string;
  /** Once, at the end of the time range, instead of over it. Tables always ask so. */
  readonly instant?: boolean;
  /** A row per series instead of a field, for transformations that join queries. Tables are always asked so. */
  readonly rows?: boolean;
}

/** A field and what is different about it. */
export interface Override {
  readonly matcher: MatcherConfig;
  readonly properties: readonly DynamicConfigValue[];
}

export interface PanelOptions {
  readonly title: string;
  readonly description: string;
  /** One of Grafana's units, e.g. `s`, `percentunit`, `reqps`, `bytes`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of the 24 columns. Default 8. */
  readonly width?: number;
  /** In Grafana's rows of 30 pixels and their gaps. Default 9: a table of three lines below a chart is whole. */
  readonly height?: number;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  /** From where a value is a warning and from where it is bad; a falling pair means that low is bad. */
  readonly thresholds?: readonly [warning: number, bad: number];
  readonly mappings?: readonly ValueMapping[];
  readonly overrides?: readonly Override[];
  readonly transformations?: readonly DataTransformerConfig[];
  readonly links?: readonly { readonly title: string; readonly url: string }[];
  /** What stands where there is no value. Default: Grafana's "No data". */
  readonly noValue?: string;
  /** The least step of a range query and the unit of `$__interval`, e.g. `5s`. */
  readonly interval?: string;
  readonly maxDataPoints?: number;
}

type DataPanelBuilder =
  BarGaugeBuilder | HeatmapBuilder | StatBuilder | TableBuilder | TimeseriesBuilder;

/** A panel that lacks only its id and its place. */
export type Panel = DataPanelBuilder | TextBuilder;

export interface TimeseriesOptions extends PanelOptions {
  /** Areas on top of each other, for parts of a whole. Default false. */
  readonly stacked?: boolean;
  /** Points, for values that are no course in time, such as one per run. Default false. */
  readonly points?: boolean;
  /** A second scale at the right for the fields whose names match this, with its unit. */
  readonly right?: { readonly fields: string; readonly unit: string };
  /** Half a line instead of a table of the last and the highest value. Default false. */
  readonly compactLegend?: boolean;
  readonly axisLabel?: string;
  /** The scale's end where all values are lower. Default: Grafana's; of shares 0.01, as 0 alone would have a scale to 100. */
  readonly softMax?: number;
}

export function timeseries(options: TimeseriesOptions): TimeseriesBuilder {
  const { stacked = false, points = false, compactLegend = false, right, axisLabel } = options;
  const calculations = compactLegend ? [] : ["mean", "max", "lastNotNull"];
  const builder = dress(new TimeseriesBuilder(), options)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .drawStyle(points ? common.GraphDrawStyle.Points : common.GraphDrawStyle.Line)
    .showPoints(points ? common.VisibilityMode.Always : common.VisibilityMode.Never)
    .pointSize(points ? 6 : 4)
    // A gap stays a gap: a line over it would show measurements that nobody made.
    .spanNulls(false)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(compactLegend ? common.LegendDisplayMode.List : common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .calcs(calculations),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (stacked)
    builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (axisLabel !== undefined) builder.axisLabel(axisLabel);
  const isShare = options.unit === "percentunit" && options.max === undefined;
  const softMax = options.softMax ?? (isShare ? 0.01 : undefined);
  if (softMax !== undefined) builder.axisSoftMax(softMax);
  if (options.thresholds) {
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  }
  if (right) {
    builder.overrideByRegexp(right.fields, [
      { id: "unit", value: right.unit },
      { id: "custom.axisPlacement", value: common.AxisPlacement.Right },
      { id: "custom.fillOpacity", value: 0 },
      { id: "custom.lineStyle", value: { fill: "dash", dash: [6, 4] } },
      // They are those of the scale at the left.
      { id: "custom.thresholdsStyle", value: { mode: common.GraphThresholdsStyleMode.Off } },
    ]);
  }
  return builder;
}

export interface StatOptions extends PanelOptions {
  /** The course of the value behind it. Default false: one number, asked once. */
  readonly sparkline?: boolean;
  /** The background in the colour of the threshold. Default false: the number. */
  readonly background?: boolean;
  /** The reducer's name, for range queries. Default `lastNotNull`. */
  readonly reducer?: string;
  /** Shows text instead of numbers: the field of this name, e.g. `/^state$/`. */
  readonly field?: string;
  readonly textMode?: common.BigValueTextMode;
}

export function stat(options: StatOptions): StatBuilder {
  const {
    sparkline = false,
    background = false,
    reducer = "lastNotNull",
    field,
    textMode,
  } = options;
  const reduce = new common.ReduceDataOptionsBuilder().calcs([reducer]).values(false);
  if (field !== undefined) reduce.fields(field);
  return dress(new StatBuilder(), {
    width: 4,
    height: 4,
    ...options,
    queries: options.queries.map((query) => ({ instant: !sparkline, ...query })),
  })
    .graphMode(sparkline ? common.BigValueGraphMode.Area : common.BigValueGraphMode.None)
    .colorMode(background ? common.BigValueColorMode.Background : common.BigValueColorMode.Value)
    .textMode(textMode ?? common.BigValueTextMode.Auto)
    .justifyMode(common.BigValueJustifyMode.Auto)
    .reduceOptions(reduce);
}

export interface TableOptions extends PanelOptions {
  readonly sortBy?: { readonly field: string; readonly descending?: boolean };
}

/** Asks once, at the end of the time range; a row per set of labels. */
export function table(options: TableOptions): TableBuilder {
  const { sortBy } = options;
  const builder = dress(
    new TableBuilder(),
    {
      width: 24,
      ...options,
      queries: options.queries.map((query) => ({ ...query, instant: true })),
      // Grafana reads a version "1.10" or a queryid as a number.
      overrides: [
        override({ id: "byType", options: "string" }, { unit: "string" }),
        ...(options.overrides ?? []),
      ],
    },
    PromQueryFormat.Table,
  )
    .cellHeight(common.TableCellHeight.Sm)
    // Narrower than Grafana's 150, so that all columns are in sight.
    .minWidth(70)
    .filterable(true);
  if (sortBy) {
    builder.sortBy([
      new common.TableSortByFieldStateBuilder()
        .displayName(sortBy.field)
        .desc(sortBy.descending ?? true),
    ]);
  }
  return builder;
}

/** A bar per series, as asked at the end of the time range. */
export function barGauge(options: PanelOptions): BarGaugeBuilder {
  return dress(new BarGaugeBuilder(), {
    ...options,
    queries: options.queries.map((query) => ({ instant: true, ...query })),
  })
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Gradient)
    .valueMode(common.BarGaugeValueMode.Color)
    .showUnfilled(true)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false));
}

/** A heat map of histograms, native or classic: the query keeps `le`, and nothing else. */
export function heatmap(options: PanelOptions): HeatmapBuilder {
  return dress(new HeatmapBuilder(), options, PromQueryFormat.Heatmap)
    .calculate(false)
    .cellGap(0)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme("Turbo")
        // Counts differ by orders of magnitude; the exponent keeps the rare slow requests visible.
        .exponent(0.4)
        .steps(64),
    )
    .yAxis(new YAxisConfigBuilder().unit(options.unit));
}

export interface TextOptions {
  readonly title: string;
  readonly description: string;
  readonly markdown: string;
  readonly width?: number;
  readonly height?: number;
}

export function text({
  title,
  description,
  markdown,
  width = 24,
  height = 3,
}: TextOptions): TextBuilder {
  return new TextBuilder()
    .title(title)
    .description(description)
    .datasource(dataSource)
    .content(markdown)
    .span(width)
    .height(height);
}

/** The field that has this name once transformations are done. */
export function named(field: string, properties: Readonly<Record<string, unknown>>): Override {
  return override({ id: "byName", options: field }, properties);
}

/** The fields whose names match, e.g. `/^p\d+/`. */
export function matching(pattern: string, properties: Readonly<Record<string, unknown>>): Override {
  return override({ id: "byRegexp", options: pattern }, properties);
}

/** For a column that only links take. Grafana until 12 knows the one, later ones the other. */
export const hiddenColumn: Readonly<Record<string, unknown>> = {
  "custom.hidden": true,
  "custom.hideFrom": { viz: true, legend: false, tooltip: false },
};

function override(matcher: MatcherConfig, properties: Readonly<Record<string, unknown>>): Override {
  return { matcher, properties: Object.entries(properties).map(([id, value]) => ({ id, value })) };
}

/** Colours from green over orange to red; the other way round where low is bad. */
function thresholdSteps([warning, bad]: readonly [number, number]): Threshold[] {
  return warning <= bad
    ? [
        { value: null, color: "green" },
        { value: warning, color: "orange" },
        { value: bad, color: "red" },
      ]
    : [
        { value: null, color: "red" },
        { value: bad, color: "orange" },
        { value: warning, color: "green" },
      ];
}

function dress<B extends DataPanelBuilder>(
  builder: B,
  options: PanelOptions,
  format: PromQueryFormat = PromQueryFormat.TimeSeries,
): B {
  const { thresholds, width = 8, height = 9 } = options;
  builder
    .title(options.title)
    .description(options.description)
    .datasource(dataSource)
    .unit(options.unit)
    .span(width)
    .height(height)
    .targets(options.queries.map((query, index) => toTarget(query, index, format)))
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(thresholds ? thresholdSteps(thresholds) : [{ value: null, color: "text" }]),
    );
  if (!thresholds)
    builder.colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic));
  else if (!(builder instanceof TimeseriesBuilder)) {
    builder.colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  }
  if (options.decimals !== undefined) builder.decimals(options.decimals);
  if (options.min !== undefined) builder.min(options.min);
  if (options.max !== undefined) builder.max(options.max);
  if (options.mappings) builder.mappings([...options.mappings]);
  if (options.transformations) builder.transformations([...options.transformations]);
  if (options.noValue !== undefined) builder.noValue(options.noValue);
  if (options.interval !== undefined) builder.interval(options.interval);
  if (options.maxDataPoints !== undefined) builder.maxDataPoints(options.maxDataPoints);
  if (options.links) {
    builder.dataLinks(
      options.links.map(({ title, url }) => new DashboardLinkBuilder(title).url(url)),
    );
  }
  for (const { matcher, properties } of options.overrides ?? []) {
    builder.withOverride({ matcher, properties: [...properties] });
  }
  return builder;
}

function toTarget(query: Query, index: number, format: PromQueryFormat): Builder<Dataquery> {
  const target = new DataqueryBuilder()
    .refId(query.refId ?? String.fromCodePoint("A".codePointAt(0)! + index))
    .datasource(dataSource)
    .expr(query.expr)
    .legendFormat(query.legend)
    .format(query.rows ? PromQueryFormat.Table : format);
  return query.instant ? target.instant() : target.range();
}

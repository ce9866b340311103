/**
 * A heat map on Grafana's axes; its own is part of its application and not published.
 *
 * In:  frames as frames.ts makes them: cells of native histograms, or rows of classic buckets.
 * Out: a cell per bucket and step, the darker or brighter the more it holds.
 */
import {
  type DataFrame,
  DataFrameType,
  type PanelProps,
  getValueFormat,
  formattedValueToString,
} from "@grafana/data";
import { config } from "@grafana/runtime";
import {
  AxisPlacement,
  ScaleDistribution,
  ScaleDirection,
  ScaleOrientation,
} from "@grafana/schema";
import type { Options } from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import { UPlotChart, UPlotConfigBuilder } from "@grafana/ui";
import * as schemes from "d3-scale-chromatic";
import { useMemo } from "react";
import { NoData } from "./no-data";

interface Cell {
  readonly fromMs: number;
  readonly toMs: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

interface Cells {
  readonly cells: readonly Cell[];
  /** Names of the rows; undefined where low and high are values. */
  readonly rows?: readonly string[];
}

export function HeatmapPanel(props: PanelProps<Options>) {
  const { data, width, height, options, timeRange, timeZone } = props;
  const chart = useMemo(() => {
    const { cells, rows } = toCells(data.series);
    const shown = cells.filter(({ count }) => count > (options.filterValues?.le ?? 0));
    if (shown.length === 0) return undefined;
    const builder = new UPlotConfigBuilder(timeZone);
    const unit = options.yAxis.unit ?? data.series[0]?.fields[1]?.config.unit;
    const name = (value: number) =>
      value === Infinity
        ? "+Inf"
        : formattedValueToString(getValueFormat(unit)(value, options.yAxis.decimals));
    const rowName = (row: number) => (rows?.[row] === undefined ? "" : name(Number(rows[row])));
    const low = rows ? 0 : Math.min(...shown.map((cell) => cell.low).filter((value) => value > 0));
    const high = rows ? rows.length : Math.max(...shown.map((cell) => cell.high));
    builder.addScale({
      scaleKey: "x",
      isTime: true,
      orientation: ScaleOrientation.Horizontal,
      direction: ScaleDirection.Right,
      range: () => [timeRange.from.valueOf(), timeRange.to.valueOf()],
    });
    builder.addScale({
      scaleKey: "y",
      orientation: ScaleOrientation.Vertical,
      direction: ScaleDirection.Up,
      ...(rows ? {} : { distribution: ScaleDistribution.Log, log: 2 }),
      range: () => [low, high],
    });
    const { theme2: theme } = config;
    builder.addAxis({
      scaleKey: "x",
      isTime: true,
      placement: AxisPlacement.Bottom,
      timeZone,
      theme,
    });
    builder.addAxis({
      scaleKey: "y",
      placement: AxisPlacement.Left,
      theme,
      ...(rows && { splits: rows.map((_row, index) => index + 1) }),
      values: (_chart: unknown, splits: number[]) =>
        splits.map((value) => (rows ? rowName(value - 1) : name(value))),
    } as Parameters<typeof builder.addAxis>[0]);
    const most = Math.max(...shown.map(({ count }) => count));
    const paint = painter(options.color);
    builder.addHook("draw", ({ ctx, valToPos, bbox }) => {
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      for (const cell of shown) {
        const left = valToPos(cell.fromMs, "x", true);
        const top = valToPos(cell.high, "y", true);
        const bottom = valToPos(Math.max(cell.low, low), "y", true);
        ctx.fillStyle = paint(cell.count / most);
        // Narrow cells touch, or the gaps would be all that is seen.
        const right = valToPos(cell.toMs, "x", true);
        const gap = right - left > 4 ? 1 : -0.5;
        ctx.fillRect(left, top, right - left - gap, bottom - top - 1);
      }
      ctx.restore();
    });
    const times = [...new Set(shown.map(({ toMs }) => toMs))].toSorted((a, b) => a - b);
    return { builder, data: [times, times.map(() => null)] as [number[], null[]] };
  }, [data, options, timeRange, timeZone]);
  if (!chart) return <NoData {...props} />;
  return <UPlotChart {...{ width, height }} config={chart.builder} data={chart.data} />;
}

function toCells(frames: readonly DataFrame[]): Cells {
  const native = frames.find((frame) => frame.meta?.type === DataFrameType.HeatmapCells);
  if (native) return { cells: cellsOf(native) };
  const frame = frames[0];
  const [time, ...rows] = frame?.fields ?? [];
  if (!time) return { cells: [] };
  const widthMs = stepOf(time.values);
  const cells = rows.flatMap(({ values }, row) =>
    values.map((count: number, index) => ({
      fromMs: time.values[index] - widthMs,
      toMs: time.values[index],
      low: row,
      high: row + 1,
      count,
    })),
  );
  return { cells, rows: rows.map(({ name }) => name.replace("Inf", "Infinity")) };
}

function cellsOf(frame: DataFrame): Cell[] {
  const [times, lows, highs, counts] = frame.fields.map(({ values }) => values) as number[][];
  const widthMs = stepOf(times!);
  return times!.map((toMs, index) => ({
    fromMs: toMs - widthMs,
    toMs,
    low: lows![index]!,
    high: highs![index]!,
    count: counts![index]!,
  }));
}

/** The shortest distance between two moments. */
function stepOf(times: readonly number[]): number {
  const distinct = [...new Set(times)].toSorted((a, b) => a - b);
  const steps = distinct.slice(1).map((time, index) => time - distinct[index]!);
  return steps.length > 0 ? Math.min(...steps) : 60_000;
}

/** Colours of 0 to 1, by a scheme of d3 or as one colour that fades. */
function painter({ mode, scheme, fill, exponent = 0.5, reverse }: Options["color"]) {
  const scale = (schemes as Record<string, unknown>)[`interpolate${scheme}`] as
    ((share: number) => string) | undefined;
  if (mode === "opacity" || !scale) {
    const color = config.theme2.visualization.getColorByName(fill);
    const hex = (share: number) =>
      Math.round(255 * share ** exponent)
        .toString(16)
        .padStart(2, "0");
    return (share: number) => `${color}${hex(share)}`;
  }
  // Schemes run from light to dark: on a dark page the other way round, so that empty fades into the background.
  const flip = config.theme2.isDark !== Boolean(reverse);
  return (share: number) => scale(flip ? 1 - share ** exponent : share ** exponent);
}

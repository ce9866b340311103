/**
 * One chart's canvas: uPlot, told what to draw and when by the chart's group.
 *
 * In:  times and values, of which it owns nothing; the group's range, cursor and zoom.
 * Out: lines with gaps where there is no value; to the group, where the pointer is and what was dragged over.
 * What stands beside the canvas (legend, summary, table) is in time-chart.tsx; the keyboard in chart-keys.ts.
 */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Unit } from "../../charts/chart-data.ts";
import { formatTick } from "./axis-text.ts";
import type { ChartGroup, GroupMember } from "./chart-group.ts";
import { lonelyPoints, nearestIndex, valueRange } from "./scales.ts";
import type { SeriesStyle } from "./series-style.ts";

/** In CSS pixels; the width is that of a canvas that has not been laid out. */
const size = { width: 600, height: 200 };
/** What is dragged over less than this is a click, in CSS pixels. */
const leastDrag = 8;

export interface PlotOptions {
  readonly group: ChartGroup;
  readonly unit: Unit;
  /** In the order of the values that `setValues` gets. */
  readonly series: readonly SeriesStyle[];
  /** What stands at the axis of time. */
  readonly formatTimes: (times: readonly number[]) => string[];
  /** Called with the index of the time that the cursor is at; -1: at none. */
  readonly onCursor: (index: number) => void;
}

export class Plot implements GroupMember {
  readonly element: HTMLElement;
  readonly #options: PlotOptions;
  readonly #plot: uPlot;
  readonly #leave: () => void;
  readonly #resize: ResizeObserver;
  #times: readonly number[] = [];
  #values: readonly (readonly (number | null)[])[] = [];
  #width: number;

  /** @param element What the canvas is put into, as wide as it. */
  constructor(element: HTMLElement, options: PlotOptions) {
    this.element = element;
    this.#options = options;
    this.#width = element.clientWidth || size.width;
    this.#plot = new uPlot(this.#settings(), undefined, element);
    this.#plot.over.addEventListener("dblclick", () => options.group.setZoom(null));
    this.#leave = options.group.add(this);
    this.#resize = new ResizeObserver(([entry]) => {
      this.#width = Math.max(100, Math.floor(entry?.contentRect.width ?? size.width));
      options.group.invalidate(this);
    });
    this.#resize.observe(element);
  }

  get times(): readonly number[] {
    return this.#times;
  }

  /** They are drawn when the chart is in view, at the next frame. They are not copied: leave them as they are. */
  setValues(times: readonly number[], values: readonly (readonly (number | null)[])[]): void {
    this.#times = times;
    this.#values = values;
    this.#options.group.invalidate(this);
  }

  /** @param isShown One for each series. */
  showSeries(isShown: readonly boolean[]): void {
    for (const [index, show] of isShown.entries()) {
      if (this.#plot.series[index + 1]?.show !== show) this.#plot.setSeries(index + 1, { show });
    }
  }

  draw(): void {
    const { from, to } = this.#options.group.range;
    const plot = this.#plot;
    plot.batch(() => {
      if (plot.width !== this.#width) plot.setSize({ width: this.#width, height: size.height });
      // uPlot reads what it is given, and keeps it; its types do not say so.
      plot.setData([this.#times, ...this.#values] as uPlot.AlignedData, false);
      plot.setScale("x", { min: from, max: to });
    });
    this.showCursor(this.#options.group.cursor);
  }

  showCursor(time: number | null): void {
    const { from, to } = this.#options.group.range;
    const isShown = time !== null && time >= from && time <= to && this.#times.length > 0;
    const left = isShown ? this.#plot.valToPos(time, "x") : -10;
    this.#plot.setCursor({ left, top: isShown ? 0 : -10 }, false);
    this.#options.onCursor(isShown ? nearestIndex(this.#times, time) : -1);
  }

  /** Marks a part of the time, as dragging does. @param range null takes the mark away */
  showSelection(range: { from: number; to: number } | null): void {
    const left = range ? this.#plot.valToPos(range.from, "x") : 0;
    const width = range ? this.#plot.valToPos(range.to, "x") - left : 0;
    const height = range ? this.#plot.over.clientHeight : 0;
    this.#plot.setSelect({ left, width, top: 0, height }, false);
  }

  close(): void {
    this.#leave();
    this.#resize.disconnect();
    this.#plot.destroy();
  }

  #settings(): uPlot.Options {
    const { unit, series, formatTimes } = this.#options;
    const colour = (name: string) => (): string => this.#colour(name);
    const axis = {
      stroke: colour("chart-axis"),
      grid: { stroke: colour("chart-grid"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: this.#width,
      height: size.height,
      legend: { show: false },
      padding: [8, 32, 0, 0],
      scales: {
        x: { time: false, auto: false },
        y: { range: (_plot, _min, max) => valueRange(unit, max) },
      },
      axes: [
        {
          ...axis,
          size: 30,
          gap: 8,
          incrs: timeSteps,
          space: 80,
          values: (_plot, times) => formatTimes(times),
        },
        {
          ...axis,
          size: 72,
          values: (_plot, values) => values.map((value) => formatTick(unit, value)),
        },
      ],
      series: [
        {},
        ...series.map((style) => {
          return {
            stroke: colour(style.colour),
            width: 1.5,
            dash: [...style.dash],
            points: {
              show: true,
              size: 4,
              filter: (_plot: uPlot, at: number) => lonelyPoints(this.#values[at - 1] ?? []),
            },
          };
        }),
      ],
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false, setScale: false, dist: leastDrag },
        // The zoom belongs to all charts: uPlot's own double click would change this one's alone.
        bind: { dblclick: () => null },
      },
      hooks: {
        setCursor: [(plot) => this.#pointed(plot)],
        setSelect: [(plot) => this.#dragged(plot)],
      },
    };
  }

  #pointed({ cursor: { idx } }: uPlot): void {
    const time = idx == null ? null : (this.#times[idx] ?? null);
    this.#options.group.moveCursor(time, this);
    this.#options.onCursor(time === null ? -1 : (idx ?? -1));
  }

  #dragged(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < leastDrag) return;
    const range = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") };
    this.showSelection(null);
    this.#options.group.setZoom(range);
  }

  /** Asked for at each drawing: the system's setting may change between dark and light. */
  #colour(name: string): string {
    return getComputedStyle(this.element).getPropertyValue(`--${name}`);
  }
}

/** Seconds between two ticks: round in minutes, hours and days. */
const timeSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];

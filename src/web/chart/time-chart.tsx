/**
 * A chart over time as a figure: title, legend with the values at the cursor, canvas, summary in words, table.
 *
 * In:  a chart as the server gives it, and its times; the group that it shares cursor and zoom with.
 * The values at the cursor are written into the legend without drawing the component again: they change with each movement of
 * the pointer.
 */
import type { JSX } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { formatValue } from "../format/number.ts";
import { formatMoment, formatTimeTicks, type TimeKind } from "./axis-text.ts";
import { ChartKeys } from "./chart-keys.ts";
import type { ChartGroup } from "./chart-group.ts";
import { ChartTable, type ChartValues } from "./chart-table.tsx";
import { LegendLine } from "./legend-line.tsx";
import { Plot } from "./plot.ts";
import { type SeriesStyle, seriesStyle } from "./series-style.ts";
import { summarise } from "./summary.ts";

interface TimeChartProps extends ChartValues {
  readonly group: ChartGroup;
  /** Shows one series alone; null or a name that there is not: all that were not switched off. */
  readonly only?: string | null;
  /** Default: each series has a look of its own. Stays the same function. */
  readonly styleOf?: (index: number, name: string) => SeriesStyle;
}

type Shown = Pick<TimeChartProps, "chart" | "times">;

export function TimeChart(props: TimeChartProps): JSX.Element {
  const { chart, times, kind, group, only = null, styleOf = seriesStyle } = props;
  const { title, description, unit, series } = chart;
  const summaryId = useId();
  const canvas = useRef<HTMLDivElement>(null);
  const figure = useRef<HTMLElement>(null);
  const drawn = useRef<{ plot: Plot; keys: ChartKeys }>(null);
  const newest = useRef({ chart, times });
  newest.current = { chart, times };
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const names = series.map(({ name }) => name);
  const nameKey = JSON.stringify(names);
  const isAlone = only !== null && names.includes(only);
  const isShown = names.map((name) => (isAlone ? name === only : !off.has(name)));

  useEffect(() => {
    if (!canvas.current) return undefined;
    const slider = canvas.current;
    const plot = new Plot(slider, {
      group,
      unit,
      series: newest.current.chart.series.map(({ name }, index) => styleOf(index, name)),
      formatTimes: (ticks) => formatTimeTicks(kind, ticks),
      onCursor: (index) => {
        writeCursor(figure.current, newest.current, kind, index);
      },
    });
    drawn.current = { plot, keys: new ChartKeys(group, plot) };
    return () => plot.close();
  }, [group, unit, kind, nameKey]);

  useEffect(() => {
    drawn.current?.plot.setValues(
      times,
      series.map(({ values }) => values),
    );
    if (group.cursor === null) writeCursor(figure.current, newest.current, kind, -1);
  }, [chart, times, nameKey]);

  useEffect(() => drawn.current?.plot.showSeries(isShown), [nameKey, isShown.join()]);

  const summary = useMemo(() => summarise(chart, times, kind), [chart, times, kind]);
  const toggle = (name: string): void => {
    setOff((last) =>
      last.has(name)
        ? new Set([...last].filter((each) => each !== name))
        : new Set([...last, name]),
    );
  };

  return (
    <figure class="chart" ref={figure}>
      <figcaption>
        <h3>{title}</h3>
        <p class="chart-description">{description}</p>
      </figcaption>
      {series.length === 0 ? (
        <p class="chart-empty">Nothing was measured yet.</p>
      ) : (
        <>
          <ul class="chart-legend">
            <li class="chart-moment" />
            {names.map((name, index) => (
              <li key={name}>
                <button
                  type="button"
                  aria-pressed={isShown[index] ? "true" : "false"}
                  onClick={() => toggle(name)}
                >
                  <LegendLine {...styleOf(index, name)} /> {name}
                </button>{" "}
                <span class="chart-value" />
              </li>
            ))}
          </ul>
          <div
            class="chart-canvas"
            ref={canvas}
            role="slider"
            tabIndex={0}
            aria-label={`${title}, cursor`}
            aria-describedby={summaryId}
            aria-orientation="horizontal"
            aria-valuemin={0}
            aria-valuemax={Math.max(0, times.length - 1)}
            onKeyDown={(event) => {
              if (drawn.current?.keys.press(event) === true) event.preventDefault();
            }}
            onBlur={() => drawn.current?.keys.leave()}
          />
          <p class="visually-hidden" id={summaryId}>
            {summary} Arrow keys move the cursor, Shift and an arrow key mark a part, Enter zooms
            into it, Escape leaves.
          </p>
          <ChartTable chart={chart} times={times} kind={kind} />
        </>
      )}
    </figure>
  );
}

/**
 * Writes the values at the cursor into the legend, and what a screen reader says of the cursor into the slider.
 *
 * @param index of the time; -1: the cursor is nowhere, and the newest values are shown
 */
function writeCursor(
  figure: HTMLElement | null,
  shown: Shown,
  kind: TimeKind,
  index: number,
): void {
  const {
    chart: { unit, series },
    times,
  } = shown;
  const at = index >= 0 ? index : times.length - 1;
  const texts = figure?.querySelectorAll(".chart-value");
  const words = series.map(({ name, values }, place) => {
    // The shorter of two runs had no value any more at the end of the longer one.
    const isAt = index >= 0 || kind === "elapsed";
    const value = isAt ? values[at] : values.findLast((each) => each !== null);
    const text = formatValue(unit, value ?? null);
    const element = texts?.[place];
    if (element) element.textContent = text;
    return `${name} ${text}`;
  });
  const time = times[at];
  const moment = figure?.querySelector(".chart-moment");
  const slider = figure?.querySelector("[role=slider]");
  if (!moment || !slider || time === undefined) return;
  moment.textContent = formatMoment(kind, time);
  slider.setAttribute("aria-valuenow", String(at));
  slider.setAttribute("aria-valuetext", `${moment.textContent}: ${words.join(", ")}`);
}

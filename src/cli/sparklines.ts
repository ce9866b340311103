/**
 * The course of a run in lines of text: one character for each time, as high as its value.
 */
import type { Chart, ChartSet, Unit } from "../charts/chart-data.ts";
import { formatBytes, formatElapsed, formatSeconds, formatShare, formatTable } from "./format.ts";

/** At most as many times as there are characters in a line; with names and ranges it is less than 80 columns wide. */
export const sparklineWidth = 40;

const blocks = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** What is shown of a run: a chart's series under a name. */
const shown: readonly (readonly [name: string, chart: string, series: string])[] = [
  ["requests", "requests", "done"],
  ["p95", "latency", "p95"],
  ["failed", "failed", "requests"],
  ["VUs", "vus", "running"],
];

/** Empty where the store has none of it. */
export function toCourseText({ charts, times, step }: ChartSet): string {
  const rows = shown.flatMap(([name, id, series]) => {
    const chart = charts.find((one) => one.id === id);
    const values = chart?.series.find((one) => one.name === series)?.values;
    return chart && values ? [[name, toSparkline(values), ...rangeOf(values, chart)]] : [];
  });
  if (rows.length === 0) return "";
  const length = formatElapsed(times.length * step * 1_000);
  return `\n${formatTable([["COURSE", `of ${length}, ${step} s each`, "LEAST", "MOST"], ...rows])}`;
}

/** From 0 up to the largest value; a gap where there is none. */
export function toSparkline(values: readonly (number | null)[]): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === null) return " ";
      const level = most === 0 ? 0 : Math.round((value / most) * (blocks.length - 1));
      return blocks[Math.max(0, level)] ?? " ";
    })
    .join("");
}

function rangeOf(values: readonly (number | null)[], { unit }: Chart): string[] {
  const known = values.filter((value) => value !== null);
  return [inWords(Math.min(...known), unit), inWords(Math.max(...known), unit)];
}

function inWords(value: number, unit: Unit): string {
  const number = String(Number(value.toPrecision(3)));
  switch (unit) {
    case "seconds":
      return formatSeconds(value);
    case "ratio":
      return formatShare(value);
    case "bytes":
      return formatBytes(value);
    case "bytes_per_second":
      return `${formatBytes(value)}/s`;
    case "per_second":
      return `${number}/s`;
    case "count":
      return number;
  }
}

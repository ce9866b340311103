/**
 * A chart in words, for those who do not see it, and as a table. Pure.
 */
import type { Chart, ChartSeries } from "../../charts/chart-data.ts";
import { formatValue } from "../format/number.ts";
import { formatMoment, type TimeKind } from "./axis-text.ts";

/** Rows of a chart's table: more are not read, and the API has them all. */
const mostRows = 120;

export interface SeriesFigures {
  readonly lowest: number;
  readonly highest: number;
  /** On the chart's axis. */
  readonly highestAt: number;
  readonly last: number;
}

/** Null where a series has no value. */
export function seriesFigures(
  times: readonly number[],
  values: readonly (number | null)[],
): SeriesFigures | null {
  let [lowest, highest, highestAt] = [Infinity, -Infinity, 0];
  let last: number | null = null;
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    last = value;
    lowest = Math.min(lowest, value);
    if (value <= highest) continue;
    highest = value;
    highestAt = times[index] ?? 0;
  }
  return last === null ? null : { lowest, highest, highestAt, last };
}

/** `p95: 12 ms to 80 ms (highest at 14:03:21), last 34 ms.`; a sentence per series. */
export function summarise(
  { unit, series }: Pick<Chart, "unit" | "series">,
  times: readonly number[],
  kind: TimeKind,
): string {
  if (series.length === 0) return "No values.";
  return series.map((each) => summariseSeries(unit, each, times, kind)).join(" ");
}

function summariseSeries(
  unit: Chart["unit"],
  { name, values }: ChartSeries,
  times: readonly number[],
  kind: TimeKind,
): string {
  const figures = seriesFigures(times, values);
  if (!figures) return `${name}: no values.`;
  const { lowest, highest, highestAt, last } = figures;
  const format = (value: number): string => formatValue(unit, value);
  if (lowest === highest) return `${name}: ${format(last)} all the time.`;
  return (
    `${name}: ${format(lowest)} to ${format(highest)} ` +
    `(highest at ${formatMoment(kind, highestAt)}), last ${format(last)}.`
  );
}

/** Which times a chart's table shows: all, or evenly some of them, the last one included. */
export function tableRows(count: number): number[] {
  const stride = Math.ceil(count / mostRows);
  const rows = [];
  for (let index = count - 1; index >= 0; index -= Math.max(1, stride)) rows.push(index);
  return rows.toReversed();
}

/**
 * The charts of two runs as one: each measure has a line per run, both from the same start. Pure.
 */
import type { Chart, ChartSet } from "../../charts/chart-data.ts";

export interface AlignedCharts {
  /** Seconds since the start of each run. */
  readonly times: readonly number[];
  /** Of each measure first the line of the base, then that of the run. */
  readonly charts: readonly Chart[];
}

/** What is compared by table: two lines for each of ten endpoints are none that anybody tells apart. */
const tableOnly = new Set(["endpoints"]);

export function alignCharts(
  base: { readonly name: string; readonly charts: ChartSet },
  run: { readonly name: string; readonly charts: ChartSet },
): AlignedCharts {
  const times = [...new Set([...base.charts.times, ...run.charts.times])].toSorted((a, b) => a - b);
  const ids = new Set([...base.charts.charts, ...run.charts.charts].map(({ id }) => id));
  const charts = [...ids].flatMap((id) => {
    const pair = [base, run].map(({ charts }) => charts.charts.find((chart) => chart.id === id));
    const head = pair[1] ?? pair[0];
    if (!head || tableOnly.has(id)) return [];
    const names = new Set(pair.flatMap((chart) => chart?.series.map(({ name }) => name) ?? []));
    const series = [...names].flatMap((name) =>
      [base, run].map((side, index) => ({
        name: `${name}, ${side.name}`,
        values: valuesAt(times, side.charts, pair[index], name),
      })),
    );
    return [{ ...head, series }];
  });
  return { times, charts };
}

function valuesAt(
  times: readonly number[],
  set: ChartSet,
  chart: Chart | undefined,
  name: string,
): (number | null)[] {
  const values = chart?.series.find((series) => series.name === name)?.values ?? [];
  const byTime = new Map(set.times.map((time, index) => [time, values[index] ?? null]));
  return times.map((time) => byTime.get(time) ?? null);
}

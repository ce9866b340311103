/**
 * Of what the store says of the last seconds, what it has not said before.
 *
 * Each look asks for the last seconds again, because late samples change them; mostly they do not.
 */
import type { ChartSet } from "../../charts/chart-data.ts";

export class NewSteps {
  /** By time, all values of it as a text. */
  #columns = new Map<number, string>();

  /**
   * The part of the set that begins with the first time that is new or has changed, without times at its end that have
   * no value yet. Undefined where there is none.
   */
  take(set: ChartSet): ChartSet | undefined {
    const { times } = set;
    const columns = new Map<number, string>();
    let from = times.length;
    let to = 0;
    for (const [at, time] of times.entries()) {
      const column = columnOf(set, at);
      if (column === undefined) continue;
      columns.set(time, column);
      to = at + 1;
      if (from > at && this.#columns.get(time) !== column) from = at;
    }
    // A store that has nothing for a moment has not forgotten what it had.
    if (columns.size > 0) this.#columns = columns;
    return from < to ? slice(set, from, to) : undefined;
  }
}

/** Undefined where no series has a value. */
function columnOf({ charts }: ChartSet, at: number): string | undefined {
  let hasValue = false;
  const values = charts.map(({ id, series }) => [
    id,
    ...series.flatMap(({ name, values: all }) => {
      const value = all[at] ?? null;
      hasValue ||= value !== null;
      return value === null ? [] : [name, value];
    }),
  ]);
  return hasValue ? JSON.stringify(values) : undefined;
}

function slice(set: ChartSet, from: number, to: number): ChartSet {
  return {
    ...set,
    times: set.times.slice(from, to),
    charts: set.charts.map((chart) => ({
      ...chart,
      series: chart.series.map((one) => ({ ...one, values: one.values.slice(from, to) })),
    })),
  };
}

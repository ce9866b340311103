/**
 * Charts and tables of a run as the library's own code asks a store for them.
 */
import type { ChartSet } from "../../src/charts/chart-data.ts";
import { createRunCharts, type RunCharts } from "../../src/charts/run-charts.ts";
import type { ChartedRun } from "../../src/charts/run-span.ts";
import { systemClock } from "../../src/clock.ts";
import { queryUrlOf } from "../../src/query/instant-query.ts";
import { createStore } from "../../src/query/store.ts";
import { RemoteWriteClient } from "../../src/send/remote-write-client.ts";

export interface ChartsOfStore extends RunCharts, AsyncDisposable {}

export function chartsOf(writeUrl: string): ChartsOfStore {
  const client = new RemoteWriteClient({ url: writeUrl, userAgent: "test/1", clock: systemClock });
  const queryUrl = queryUrlOf(writeUrl);
  if (!queryUrl) throw new Error(`${writeUrl} is no write URL`);
  const charts = createRunCharts(createStore(client, queryUrl));
  return { ...charts, [Symbol.asyncDispose]: () => client.close() };
}

/** A run that is over, with times in Unix milliseconds. */
export function overRun(
  testid: string,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): ChartedRun {
  return {
    testid,
    test: "checkout",
    state: "finished",
    createdMs: startMs,
    startedMs: startMs,
    endedMs: endMs,
    lastDataMs: endMs,
    stores: [],
  };
}

/** One line of a chart. Rejects where there is none, with what there is. */
export function line(set: ChartSet, id: string, name: string): readonly (number | null)[] {
  const found = set.charts
    .find((chart) => chart.id === id)
    ?.series.find((one) => one.name === name);
  if (!found) {
    const known = set.charts.map((chart) => [chart.id, chart.series.map((one) => one.name)]);
    throw new Error(`no ${name} in ${id}: ${JSON.stringify([known, set.missing])}`);
  }
  return found.values;
}

/** Of values per second, how many there were in all. */
export function total(set: ChartSet, id: string, name: string): number {
  const sum = line(set, id, name).reduce<number>((all, value) => all + (value ?? 0), 0);
  return Math.round(sum * set.step * 1e6) / 1e6;
}

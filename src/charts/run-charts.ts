/**
 * What the store knows of a run, as charts and tables: asked for by the server, the report and `plimsoll runs show`.
 *
 * In:  a run's record, and stores that can be asked. Out: chart-data.ts. Nothing is kept between two questions.
 */
import type { Store } from "../query/store.ts";
import type { Chart, ChartSet, ChartSetName } from "./chart-data.ts";
import { runCharts } from "./run-set.ts";
import { RunQuestions } from "./run-questions.ts";
import { type ChartedRun, spanOf } from "./run-span.ts";
import { gridOver, stepFor, timesOf } from "./times.ts";

export interface ChartRange {
  /** Unix milliseconds. Default: the whole run. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Whole seconds. Default: so many that there are at most `points` times. */
  readonly stepSeconds?: number;
  /** Default 1 200. */
  readonly points?: number;
}

export interface RunCharts {
  /** @throws StoreUnreachable */
  charts(run: ChartedRun, set: ChartSetName, range?: ChartRange): Promise<ChartSet>;
}

/** A wide screen has as many columns for it. */
const defaultPoints = 1_200;
/** Prometheus gives no more of a series. Source: `web/api/v1/api.go`, 11 000 points per timeseries. */
export const maxPoints = 10_000;

export function createRunCharts(first: Store, ...others: readonly Store[]): RunCharts {
  return {
    async charts(run, set, range = {}) {
      const store = storeOf(run, [first, ...others]) ?? first;
      const whole = await spanOf(store, run, Date.now());
      const { fromMs = whole.from * 1_000, points = defaultPoints } = range;
      const from = Math.max(fromMs / 1_000, whole.from);
      const to = Math.max(from, Math.min((range.toMs ?? Infinity) / 1_000, whole.to));
      const shortest = stepFor(to - from, Math.min(points, maxPoints));
      const step = Math.max(range.stepSeconds ?? shortest, stepFor(to - from, maxPoints));
      const grid = gridOver({ from, to }, step);
      const charts = await runCharts(new RunQuestions(store, run.testid, grid));
      return toSet(set, step, timesOf(grid), charts);
    },
  };
}

function storeOf(run: ChartedRun, stores: readonly Store[]): Store | undefined {
  return stores.find(({ displayUrl }) => run.stores.includes(displayUrl));
}

function toSet(
  set: ChartSetName,
  step: number,
  times: readonly number[],
  charts: readonly Chart[],
): ChartSet {
  const shown = charts.map((chart) => ({
    ...chart,
    series: chart.series.filter(({ values }) => values.some((value) => value !== null)),
  }));
  return {
    set,
    step,
    times,
    charts: shown.filter(({ series }) => series.length > 0),
    missing: shown.filter(({ series }) => series.length === 0).map(({ title }) => title),
  };
}

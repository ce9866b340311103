/**
 * What the store knows of a run, as charts and tables: asked for by the server, the report and `plimsoll runs show`.
 *
 * In:  a run's record, and stores that can be asked. Out: chart-data.ts. Nothing is kept between two questions.
 */
import { type Store, StoreUnreachable } from "../query/store.ts";
import type { Chart, ChartSeries, ChartSet, ChartSetName, RunTables } from "./chart-data.ts";
import type { ChartPlan } from "./chart-plan.ts";
import { RunQuestions } from "./run-questions.ts";
import { RunSelectors } from "./run-selectors.ts";
import { runSet } from "./run-set.ts";
import { type ChartedRun, spanOf } from "./run-span.ts";
import { tablesOf } from "./run-tables.ts";
import { RunTotals } from "./run-totals.ts";
import { serverSet } from "./server-set.ts";
import { gridOver, stepFor, timesOf } from "./times.ts";

export interface ChartRange {
  /** Unix milliseconds. Default: the whole run. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Whole seconds. Default: so many that there are at most `points` times. */
  readonly stepSeconds?: number;
  /** Default 1 200. */
  readonly points?: number;
  /** Ids of the charts that are asked for. Default: all of the set. */
  readonly only?: readonly string[];
}

export interface RunCharts {
  /**
   * A chart that the store does not answer, while it answers others, has no series and says so.
   *
   * @param signal Whoever gives up in time costs the store nothing more; questions that are asked are not taken back,
   * because others may wait for them.
   * @throws StoreUnreachable
   */
  charts(
    run: ChartedRun,
    set: ChartSetName,
    range?: ChartRange,
    signal?: AbortSignal,
  ): Promise<ChartSet>;
  /** Of the whole run up to now. @throws StoreUnreachable */
  tables(run: ChartedRun, signal?: AbortSignal): Promise<RunTables>;
}

/** As wide as a large screen. */
const defaultPoints = 1_200;
/** Prometheus gives up to 11 000 of a series. Source: `web/api/v1/api.go`. */
export const maxPoints = 10_000;

const sets: Readonly<Record<ChartSetName, readonly ChartPlan[]>> = {
  run: runSet,
  server: serverSet,
};

/** A run is asked for where its samples are; one that is in none of the stores, in the first. */
export function createRunCharts(first: Store, ...others: readonly Store[]): RunCharts {
  const storeOf = ({ stores }: ChartedRun): Store =>
    [first, ...others].find(({ displayUrl }) => stores.includes(displayUrl)) ?? first;
  return {
    async charts(run, set, range = {}, signal) {
      const store = storeOf(run);
      const span = await spanOf(store, run, Date.now());
      const { points = defaultPoints, only } = range;
      const from = Math.max((range.fromMs ?? 0) / 1_000, span.from);
      const to = Math.max(from, Math.min((range.toMs ?? Infinity) / 1_000, span.to));
      const step = Math.max(
        range.stepSeconds ?? stepFor(to - from, Math.min(points, maxPoints)),
        stepFor(to - from, maxPoints),
      );
      const grid = gridOver({ from, to }, step);
      const questions = new RunQuestions(store, run.testid, span, grid);
      const plans = sets[set].filter(({ id }) => only?.includes(id) ?? true);
      signal?.throwIfAborted();
      const drawn = await Promise.all(plans.map(async (plan) => await draw(plan, questions)));
      const [unreachable] = drawn.filter((chart) => chart instanceof StoreUnreachable);
      if (unreachable && drawn.every((chart) => chart instanceof StoreUnreachable))
        throw unreachable;
      const charts: Chart[] = [];
      const missing: string[] = [];
      plans.forEach(({ id, title, description, unit }, index) => {
        const series = drawn[index] ?? [];
        if (series instanceof StoreUnreachable) {
          charts.push({ id, title, description: series.message, unit, series: [] });
        } else if (series.length === 0) {
          missing.push(title);
        } else {
          charts.push({ id, title, description, unit, series });
        }
      });
      return { set, step, times: timesOf(grid), charts, missing };
    },
    async tables(run, signal) {
      const store = storeOf(run);
      const span = await spanOf(store, run, Date.now());
      signal?.throwIfAborted();
      return await tablesOf(new RunTotals(store, new RunSelectors(run.testid), span), span);
    },
  };
}

/** The lines that have a value. */
async function draw(
  plan: ChartPlan,
  questions: RunQuestions,
): Promise<readonly ChartSeries[] | StoreUnreachable> {
  try {
    const series = await plan.series(questions);
    return series.filter(({ values }) => values.some((value) => value !== null));
  } catch (error) {
    if (error instanceof StoreUnreachable) return error;
    throw error;
  }
}

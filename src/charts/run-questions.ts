/**
 * Questions about one run at the times of one grid, by the kind of metric that is asked about.
 *
 * In:  a store, the run's testid and span, a grid. Out: values on the grid.
 */
import { type Grid, type Labels, labelsKey, type Store } from "../query/store.ts";
import {
  generatorLabels,
  growthOf,
  lookBackSeconds,
  sumOf,
  type Values,
  withBefore,
} from "./growth.ts";
import { RunSelectors } from "./run-selectors.ts";
import type { RunSpan } from "./run-span.ts";
import { RunTotals } from "./run-totals.ts";

export interface Grown {
  readonly labels: Labels;
  readonly growth: Values;
}

export class RunQuestions {
  readonly store: Store;
  readonly run: RunSelectors;
  readonly span: RunSpan;
  readonly grid: Grid;
  readonly totals: RunTotals;
  /** Whether the grid begins with the run, so that what is not there before it is nothing. */
  readonly isFromStart: boolean;

  constructor(store: Store, testid: string, span: RunSpan, grid: Grid) {
    this.store = store;
    this.run = new RunSelectors(testid);
    this.span = span;
    this.grid = grid;
    this.totals = new RunTotals(store, this.run, span);
    this.isFromStart = grid.start - grid.step <= span.from;
  }

  /** By how much counters grew in each step, by generator and these labels. */
  async grown(selector: string, by: readonly string[] = []): Promise<Grown[]> {
    const labels = [...by, generatorLabels].join(", ");
    const { start, step } = this.grid;
    const sums = (seconds: number): string =>
      `sum by (${labels}) (last_over_time(${selector}[${seconds}s]))`;
    const before = start - step;
    const sinceStart = Math.ceil(before - this.span.from) + lookBackSeconds(step);
    const courses = await this.store.range(sums(lookBackSeconds(step)), withBefore(this.grid));
    // A counter that is not there right before began later, or was idle for long: only all of its past tells.
    const isKnown = this.isFromStart || courses.every(({ values }) => values[0] !== null);
    const earlier = isKnown ? [] : await this.store.instant(sums(sinceStart), before);
    const counted = new Map(earlier.map((one) => [labelsKey(one.labels), one.value]));
    return courses.map((course) => ({
      labels: course.labels,
      growth: growthOf(course, counted.get(labelsKey(course.labels)) ?? 0),
    }));
  }

  /** The same of one of k6's counters, of all generators together. Null where nothing was counted at all. */
  async growth(series: string, matchers: string = ""): Promise<Values> {
    const grown = await this.grown(this.run.k6(series, matchers));
    return this.#sum(grown.map(({ growth }) => growth));
  }

  /** Seconds that all observations of a trend took together, in each step. */
  async secondsOf(trend: string): Promise<Values> {
    const selector = this.run.k6(trend);
    if (!(await this.totals.isNative(trend))) {
      const grown = await this.grown(this.run.k6(`${trend}_sum`));
      return this.#sum(grown.map(({ growth }) => growth));
    }
    const sums = `sum by (${generatorLabels}) (histogram_sum(${selector}))`;
    const courses = await this.store.range(sums, withBefore(this.grid));
    const before = this.isFromStart ? 0 : undefined;
    return this.#sum(courses.map((course) => growthOf(course, before)));
  }

  /** The sum of one of k6's gauges over the generators. */
  async gauge(series: string): Promise<Values> {
    const seconds = Math.max(15, this.grid.step);
    return await this.course(`sum(last_over_time(${this.run.k6(series)}[${seconds}s]))`);
  }

  /** Of an expression without labels. */
  async course(expression: string): Promise<Values> {
    const [course] = await this.store.range(expression, this.grid);
    return course?.values ?? this.#sum([]);
  }

  #sum(lists: readonly Values[]): Values {
    return sumOf(lists, this.grid.count);
  }
}

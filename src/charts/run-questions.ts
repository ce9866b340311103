/**
 * Questions about one run at the times of one grid, by the kind of metric that is asked about.
 *
 * In:  a store, the run's testid, a grid. Out: values on the grid, added up over the generators of the run.
 */
import { builtinSeries } from "../encode/metric-names.ts";
import { quoted } from "../query/promql.ts";
import type { Grid, Store } from "../query/store.ts";
import { generatorLabels, growthOf, lookBackSeconds, sumOf, withBefore } from "./growth.ts";

export type Values = readonly (number | null)[];

export class RunQuestions {
  readonly store: Store;
  readonly grid: Grid;
  readonly #run: string;

  constructor(store: Store, testid: string, grid: Grid) {
    this.store = store;
    this.grid = grid;
    this.#run = `testid=${quoted(testid)}`;
  }

  /** A selector of the run's series. @throws Error for a metric that k6 does not have */
  selector(series: string, matchers: string = ""): string {
    if (!builtinSeries.has(series)) throw new Error(`no metric of k6 is stored as ${series}`);
    return `${series}{${[this.#run, matchers].filter((part) => part !== "").join(", ")}}`;
  }

  /** By how much a counter grew in each step. */
  async growth(series: string, matchers: string = ""): Promise<Values> {
    const { step, count } = this.grid;
    const selector = this.selector(series, matchers);
    const sums = `sum by (${generatorLabels}) (last_over_time(${selector}[${lookBackSeconds(step)}s]))`;
    const courses = await this.store.range(sums, withBefore(this.grid));
    return sumOf(courses.map(growthOf), count);
  }

  /** The sum of a gauge over the generators. */
  async gauge(series: string): Promise<Values> {
    // Sent every 10 s at least, and a minute apart at the longest push interval.
    const values = `sum(last_over_time(${this.selector(series)}[${Math.max(15, this.grid.step)}s]))`;
    const [course] = await this.store.range(values, this.grid);
    return course?.values ?? sumOf([], this.grid.count);
  }

  perSecond(values: Values): Values {
    return values.map((value) => (value === null ? null : value / this.grid.step));
  }
}

export function ratioOf(part: Values, whole: Values): Values {
  return whole.map((value, index) =>
    value === null || value === 0 ? null : (part[index] ?? 0) / value,
  );
}

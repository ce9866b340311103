/**
 * One chart of a set: what it is called, and how its lines are asked for.
 */
import type { Chart, ChartSeries } from "./chart-data.ts";
import type { RunQuestions } from "./run-questions.ts";

export interface ChartPlan extends Omit<Chart, "series"> {
  /** @throws StoreUnreachable */
  readonly series: (questions: RunQuestions) => Promise<readonly ChartSeries[]>;
}

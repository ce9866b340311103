/**
 * The times at which a run is asked for: multiples of a step, so that two viewers ask the same and zooming in and out
 * comes back to the same values.
 */
import type { Grid } from "../query/store.ts";

export interface Span {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
}

/** Seconds that people count in. */
const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
];
const longestStep = 86_400;

/** The shortest step by which a time has at most so many. */
export function stepFor(seconds: number, points: number): number {
  const least = seconds / points;
  return steps.find((step) => step >= least) ?? Math.ceil(least / longestStep) * longestStep;
}

/** Values stand for the step before them, so the first one is at the end of the step in which the time begins. */
export function gridOver({ from, to }: Span, step: number): Grid {
  const first = Math.floor(from / step) + 1;
  const last = Math.max(first, Math.ceil(to / step));
  return { start: first * step, step, count: last - first + 1 };
}

export function timesOf({ start, step, count }: Grid): number[] {
  return Array.from({ length: count }, (_, index) => start + index * step);
}

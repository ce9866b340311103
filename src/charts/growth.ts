/**
 * What counters grew by in each step, exactly: from what they counted since the run began.
 *
 * `rate` and `increase` guess beyond the points that they see, and see none of a series that is seldom sent. The counters
 * of a generator never fall, and a series that is idle is sent again every 10 s, so the difference between two sums is what
 * was counted between. A generator that is gone keeps its last sum, and one that nobody heard of for a while brings what it
 * counted meanwhile in one step.
 */
import type { Course, Grid } from "../query/store.ts";

/** One for each time of a grid. */
export type Values = readonly (number | null)[];

/** What tells the generators of one run apart (docs/metrics.md): sums are taken of each. */
export const generatorLabels = "instance_id, load_zone";

/** How far a counter is looked back for: idle series are sent every 10 s, or at each push where that is seldomer. */
export function lookBackSeconds(step: number): number {
  return Math.max(60, 2 * step);
}

/** The grid with the time before it: the first difference needs it. */
export function withBefore({ start, step, count }: Grid): Grid {
  return { start: start - step, step, count: count + 1 };
}

/**
 * @param values Sums since the beginning, the time before the grid first.
 * @param before What was counted until then, where the first of them is null. Undefined: nobody knows, and the first sum of
 * all is no growth.
 * @returns On the grid. Null where there is no sum.
 */
export function growthOf(
  { values }: Pick<Course, "values">,
  before: number | undefined,
): (number | null)[] {
  let reached = values[0] ?? before;
  return values.slice(1).map((value) => {
    if (value === null) return null;
    const growth = Math.max(0, value - (reached ?? value));
    reached = Math.max(reached ?? value, value);
    return growth;
  });
}

/** Null where all are. */
export function sumOf(lists: readonly Values[], count: number): Values {
  return Array.from({ length: count }, (_, index) => {
    let sum: number | null = null;
    for (const list of lists) {
      const value = list[index];
      if (value !== null && value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum;
  });
}

/** Null where there is nothing to be a part of. */
export function ratioOf(part: Values, whole: Values): Values {
  return whole.map((value, index) =>
    value === null || value === 0 ? null : (part[index] ?? 0) / value,
  );
}

/**
 * What counters grew by in each step, exactly: from what they counted since the run began.
 *
 * `rate` and `increase` guess beyond the points that they see, and see none of a series that is seldom sent. The counters
 * of a generator never fall, and a series that is idle is sent again every 10 s, so the difference between two sums is what
 * was counted between. A generator that is gone keeps its last sum, and one that nobody heard of for a while brings what it
 * counted meanwhile in one step.
 */
import type { Course, Grid } from "../query/store.ts";

/** What tells the generators of one run apart (docs/metrics.md): sums are taken of each. */
export const generatorLabels = "instance_id, load_zone";

/** How far a counter is looked back for: longer than a series is idle before it is sent again, at the longest interval. */
export function lookBackSeconds(step: number): number {
  return Math.max(60, 2 * step);
}

/** The grid with the time before it: the first difference needs it. */
export function withBefore({ start, step, count }: Grid): Grid {
  return { start: start - step, step, count: count + 1 };
}

/**
 * @param course Of sums since the beginning, on `withBefore(grid)`. The first sum of all is the growth since zero, unless
 * the run was on before the grid begins.
 * @returns On the grid. Null where there is no sum at all.
 */
export function growthOf({ values }: Course): (number | null)[] {
  let reached = values[0] ?? 0;
  return values.slice(1).map((value) => {
    if (value === null) return null;
    const growth = Math.max(0, value - reached);
    reached = Math.max(reached, value);
    return growth;
  });
}

/** Null where all are. */
export function sumOf(
  lists: readonly (readonly (number | null)[])[],
  count: number,
): (number | null)[] {
  return Array.from({ length: count }, (_, index) => {
    let sum: number | null = null;
    for (const list of lists) {
      const value = list[index];
      if (value !== null && value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum;
  });
}

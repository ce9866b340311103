/**
 * Distributions as buckets: subtracted, added up, and asked for quantiles, so that a quantile of several generators or
 * steps is that of their observations and never a mean of quantiles.
 */
import type { Bucket } from "../query/store.ts";

export type Distribution = readonly Bucket[];

export function countOf(distribution: Distribution): number {
  return distribution.reduce((sum, { count }) => sum + count, 0);
}

/** Buckets of one layout, as those of one metric are: equal bounds are the same bucket. */
export function added(distributions: readonly Distribution[]): Distribution {
  if (distributions.length === 1) return distributions[0] ?? [];
  return summed(distributions.map((distribution) => [distribution, 1]));
}

/** What came to `earlier` until it was `later`. */
export function subtracted(later: Distribution, earlier: Distribution): Distribution {
  return summed([
    [later, 1],
    [earlier, -1],
  ]);
}

function summed(parts: readonly (readonly [Distribution, sign: 1 | -1])[]): Distribution {
  const sums = new Map<number, Bucket>();
  for (const [distribution, sign] of parts) {
    for (const { lower, upper, count } of distribution) {
      const sum = (sums.get(upper)?.count ?? 0) + sign * count;
      sums.set(upper, { lower, upper, count: sum });
    }
  }
  return [...sums.values()].filter(({ count }) => count > 0).toSorted((a, b) => a.upper - b.upper);
}

/**
 * Observations are taken as spread evenly over their bucket; above every bound, as the highest one.
 *
 * @param q 0 to 1
 * @returns null without an observation
 *
 * Source: Prometheus, "histogram_quantile()".
 */
export function quantileOf(q: number, distribution: Distribution): number | null {
  const rank = q * countOf(distribution);
  let below = 0;
  for (const { lower, upper, count } of distribution) {
    if (count <= 0) continue;
    if (below + count >= rank) {
      return upper === Infinity ? lower : lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return null;
}

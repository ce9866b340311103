/**
 * By how much a value of one run differs from that of another.
 */
import type { Difference } from "./comparison.ts";

export function differenceOf(base: number | null, run: number | null): Difference {
  return { base, run, ratio: ratioOf(base, run) };
}

/** Two zeros are the same; from zero to something there is no ratio. */
function ratioOf(base: number | null, run: number | null): number | null {
  if (base === null || run === null) return null;
  if (base === run) return 0;
  return base === 0 ? null : run / base - 1;
}

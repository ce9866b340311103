/**
 * Where a percentile stands on the ladder's axis. Pure.
 */
import type { Comparison } from "../../analyse/comparison.ts";

/**
 * p0 at 0, p90 at 1, p99 at 2, p99.9 at 3: the number of nines.
 *
 * @param percent 0 to less than 100: the largest value of all has no place on an axis that never ends
 */
export function percentilePosition(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

/** Round values from 0 to below `most`: three to six of them. */
export function roundTicks(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(most / 3));
  const step = [5, 2, 1].map((size) => size * power).find((size) => size * 3 <= most) ?? power;
  const count = Math.ceil(most / step);
  return Array.from({ length: count }, (_, index) => index * step);
}

/** As SVG has them; rungs without a value are left out. */
export function ladderPoints(
  rungs: Comparison["ladder"],
  side: "base" | "run",
  { x, y }: { readonly x: (percent: number) => number; readonly y: (seconds: number) => number },
): string {
  return rungs
    .flatMap(({ percent, difference }) => {
      const seconds = difference[side];
      return seconds === null ? [] : [`${x(percent).toFixed(1)},${y(seconds).toFixed(1)}`];
    })
    .join(" ");
}

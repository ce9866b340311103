/**
 * From values to what an axis shows: its range, the steps between its ticks, and points that no line would show. Pure.
 */
import type { Unit } from "../../charts/chart-data.ts";

/** The range of a value axis. It begins at 0, so that lengths can be compared; what is flat at 0 has a little above it. */
export function valueRange(unit: Unit, max: number | null): [min: number, max: number] {
  if (max === null || !(max > 0)) return [0, emptyMax[unit]];
  // A share that is all is drawn up to 100 %, not beyond.
  if (unit === "ratio" && max <= 1) return [0, Math.min(1, max * 1.1)];
  return [0, max * 1.1];
}

const emptyMax: Readonly<Record<Unit, number>> = {
  count: 1,
  per_second: 1,
  seconds: 0.001,
  ratio: 0.01,
  bytes: 1_000,
  bytes_per_second: 1_000,
};

/** Indexes of values between two gaps: a line needs two points, and these would not be seen. */
export function lonelyPoints(values: readonly (number | null)[]): number[] {
  return values.flatMap((value, index) => {
    const isLonely =
      value !== null &&
      (values[index - 1] ?? null) === null &&
      (values[index + 1] ?? null) === null;
    return isLonely ? [index] : [];
  });
}

/** The index whose time is nearest; -1 where there is none. Times are ascending. */
export function nearestIndex(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) low = middle;
    else high = middle;
  }
  const [below, above] = [times[low], times[high]];
  if (below === undefined || above === undefined) return -1;
  return time - below <= above - time ? low : high;
}

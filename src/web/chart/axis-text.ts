/**
 * What stands at a chart's axes and at its cursor.
 */
import type { Unit } from "../../charts/chart-data.ts";
import { formatValue } from "../format/number.ts";
import { formatClock, formatElapsed } from "../format/time.ts";

/** What a chart's times count: seconds since 1970, or since the start of a run, where two are compared. */
export type TimeKind = "clock" | "elapsed";

/** At the axis of values: `5 ms`, not `5.00 ms`, for ticks are round. */
export function formatTick(unit: Unit, value: number): string {
  return formatValue(unit, value)
    .replace(/(\.\d*?)0+(?!\d)/, "$1")
    .replace(/\.(?!\d)/, "");
}

/** A moment at the cursor and in tables, to the second. */
export function formatMoment(kind: TimeKind, time: number): string {
  return kind === "clock" ? formatClock(time * 1_000) : formatElapsed(time);
}

/** At the axis of time. Seconds are written only where ticks differ in them. */
export function formatTimeTicks(kind: TimeKind, times: readonly number[]): string[] {
  const texts = times.map((time) => formatMoment(kind, time));
  if (kind === "elapsed" || times.some((time) => time % 60 !== 0)) return texts;
  return texts.map((text) => text.slice(0, 5));
}

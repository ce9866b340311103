/**
 * The time to show of a run: a little more than it lasted, so that its first and last points are in the charts, whose
 * steps grow with what is shown.
 */

/** Seconds before a run, and the least after it. */
const marginSeconds = 5;
/** Of a run's duration, what is shown after it. */
const marginShare = 0.01;

/** From where, in Unix milliseconds; of a run's start in Unix seconds. */
export function shownFrom(start: string): string {
  return `(${start} - ${marginSeconds}) * 1000`;
}

/** Up to where. */
export function shownTo(start: string, end: string): string {
  return `(${end} + clamp_min(${marginShare} * (${end} - ${start}), ${marginSeconds})) * 1000`;
}

/** In a data link of a table with the columns `From` and `To`. */
export const rowTime = "from=${__data.fields.From.numeric}&to=${__data.fields.To.numeric}";

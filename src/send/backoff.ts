/**
 * How long to wait before the same bytes are sent again.
 *
 * In:  how many retries there were, what `Retry-After` asked for, a random source.
 * Out: a duration. Source: Remote-Write 1.0 and 2.0, "Retries & Backoff": backoff is a MUST, its shape is
 * free, `Retry-After` may be honoured.
 */

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** Upwards only: many generators start together, and no delay falls below the one before it. */
const jitterRatio = 0.2;
/** A receiver does not silence us for longer, whatever it asks for. */
const longestRetryAfterMs = 120_000;
/** After 429: a rate limit is counted per second. */
const throttledDelayMs = 1_000;

/**
 * 100 ms, doubling up to 10 s, but at least 1 s after a 429, and 0 to 20 % more. `Retry-After` replaces all of it,
 * up to 2 minutes.
 *
 * @param retry 1 for the wait before the first retry.
 * @param random Gives numbers from 0 up to, not including, 1.
 */
export function backoffMs(
  retry: number,
  retryAfterMs: number | undefined,
  random: () => number,
  isThrottled = false,
): number {
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, longestRetryAfterMs);
  const leastMs = isThrottled ? throttledDelayMs : firstDelayMs;
  const delayMs = Math.min(firstDelayMs * 2 ** (retry - 1), longestDelayMs);
  return withJitter(Math.max(delayMs, leastMs), random);
}

/** 0 to 20 % more than `delayMs`, in whole milliseconds. */
export function withJitter(delayMs: number, random: () => number): number {
  return Math.round(delayMs * (1 + jitterRatio * random()));
}

/**
 * Reads `Retry-After`: seconds, or an HTTP date. Source: RFC 9110, 10.2.3.
 *
 * @returns `undefined` for what is neither, and for a time that has passed (as Prometheus does).
 */
export function parseRetryAfterMs(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  // HTTP dates end in GMT. `Date.parse` alone would read a date into "1.5" and other accidents.
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : text.endsWith("GMT")
      ? Date.parse(text) - nowMs
      : NaN;
  return waitMs > 0 ? waitMs : undefined;
}

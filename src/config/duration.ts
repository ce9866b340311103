/**
 * Durations as people write them, `1m30s`, to milliseconds and back.
 *
 * Source: Go, `time.ParseDuration`; with k6's two extensions: leading days (`1d12h`), and a bare number
 * is milliseconds.
 */
import { UsageError } from "../errors.ts";

const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};

const number = String.raw`\d+(?:\.\d*)?|\.\d+`;
const bareNumber = new RegExp(`^(?:${number})$`);
const wholeDuration = new RegExp(`^(?:\\d+d)?(?:(?:${number})(?:h|m|s|ms|us|µs|μs|ns))*$`);
const part = new RegExp(`(${number})([a-zµμ]+)`, "g");

/**
 * Milliseconds, not negative, exact to the nanosecond.
 *
 * @throws UsageError when `text` is not a duration.
 */
export function parseDurationMs(text: string): number {
  if (bareNumber.test(text)) return Number(text);
  if (text === "" || !wholeDuration.test(text)) {
    throw new UsageError(
      `${JSON.stringify(text)} is not a duration: expected one such as "500ms", "5s" or "1m30s"`,
    );
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(part)) {
    // `wholeDuration` lets only the units of the table through.
    totalMs += Number(amount) * (unitMs[unit ?? ""] ?? Number.NaN);
  }
  // Fractions such as 1.001s carry binary rounding errors far below Go's nanosecond.
  return Number.isInteger(totalMs) ? totalMs : Math.round(totalMs * 1e6) / 1e6;
}

/** The shortest text that `parseDurationMs` turns back into `durationMs`, a whole number. */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    // The units are keys of the table.
    const sizeMs = unitMs[unit] ?? Number.NaN;
    const amount = Math.floor(restMs / sizeMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * sizeMs;
  }
  return text === "" ? "0s" : text;
}

/**
 * Times and durations as the page writes them.
 *
 * Times are of the reader's own time zone, which is named beside them; their digits are in the order of ISO 8601, so that
 * they sort, and mean the same on every continent.
 */
import { formatPlural, noValue } from "./number.ts";

/** What a moment is, in a zone. */
interface TimeParts {
  readonly date: string;
  readonly time: string;
  /** E.g. `GMT+1`, or a letter code where English has one. */
  readonly zone: string;
}

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

/** A format is expensive to make, and asked for in each row. */
function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en", {
    ...(timeZone !== undefined && { timeZone }),
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  });
  formats.set(timeZone, made);
  return made;
}

/** @param timeZone an IANA name; default: the reader's */
function timeParts(timeMs: number, timeZone?: string): TimeParts {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(timeMs)
      .map(({ type, value }) => [type as string, value]),
  );
  const part = (name: string): string => parts.get(name) ?? "";
  return {
    date: `${part("year")}-${part("month")}-${part("day")}`,
    time: `${part("hour")}:${part("minute")}:${part("second")}`,
    zone: part("timeZoneName"),
  };
}

/** `2026-11-22 22:08:44` */
export function formatDateTime(timeMs: number, timeZone?: string): string {
  const { date, time } = timeParts(timeMs, timeZone);
  return `${date} ${time}`;
}

/** `2026-11-22 22:08:44 GMT+1` */
export function formatFullTime(timeMs: number, timeZone?: string): string {
  return `${formatDateTime(timeMs, timeZone)} ${timeParts(timeMs, timeZone).zone}`;
}

/** `22:08:44` */
export function formatClock(timeMs: number, timeZone?: string): string {
  return timeParts(timeMs, timeZone).time;
}

/** The reader's time zone with its offset at that moment: `Europe/Berlin, GMT+1`. */
export function zoneName(atMs: number, timeZone?: string): string {
  const name = timeZone ?? new Intl.DateTimeFormat("en").resolvedOptions().timeZone;
  const { zone } = timeParts(atMs, timeZone);
  return name === zone ? zone : `${name}, ${zone}`;
}

/** `just now`, `3 min ago`, `in 2 h`; the day where it is longer than a week. */
export function formatRelative(timeMs: number, nowMs: number): string {
  const seconds = Math.round(Math.abs(nowMs - timeMs) / 1_000);
  if (seconds < 10) return "just now";
  if (seconds > 7 * 86_400) return timeParts(timeMs).date;
  const [size, unit] =
    seconds < 60
      ? [seconds, "s"]
      : seconds < 3_600
        ? [Math.floor(seconds / 60), "min"]
        : seconds < 86_400
          ? [Math.floor(seconds / 3_600), "h"]
          : [Math.floor(seconds / 86_400), "d"];
  return timeMs > nowMs ? `in ${size} ${unit}` : `${size} ${unit} ago`;
}

/** How long something took: `340 ms`, `12.3 s`, `2 min 03 s`, `1 h 02 min`, `3 d 4 h`. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null) return noValue;
  if (seconds < 0.9995) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  const [days, hours, minutes] = [
    Math.floor(total / 86_400),
    Math.floor(total / 3_600) % 24,
    Math.floor(total / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${pad(minutes)} min`;
  return `${minutes} min ${pad(total % 60)} s`;
}

/** Of a run that goes on: `02:03`, `1:02:03`. Whole seconds, so that it does not jump about. */
export function formatElapsed(seconds: number | null): string {
  if (seconds === null) return noValue;
  const total = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(total / 3_600);
  const rest = `${pad(Math.floor(total / 60) % 60)}:${pad(total % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** A time as a form's field `datetime-local` has it, to the minute: `2026-11-22T22:08`. */
export function toLocalInput(timeMs: number): string {
  const { date, time } = timeParts(timeMs);
  return `${date}T${time.slice(0, 5)}`;
}

/** In whole units, for sentences: `7 days`, `12 hours`, `5 minutes`. */
export function formatPeriod(seconds: number): string {
  if (seconds % 86_400 === 0) return formatPlural(seconds / 86_400, "day");
  if (seconds % 3_600 === 0) return formatPlural(seconds / 3_600, "hour");
  return formatPlural(Math.round(seconds / 60), "minute");
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}

/**
 * Which of Grafana's units fit a dimension.
 */
import * as units from "@grafana/grafana-foundation-sdk/units";
import { close, type Dimension } from "./dimension.ts";

/** Grafana's ids of units, from its SDK. A `suffix:` and its like make one of any text. */
const known: ReadonlySet<string> = new Set(Object.values(units).map(String));

export const isUnit = (unit: string): boolean =>
  known.has(unit) || /^(suffix|prefix|time|si|count|currency|bool):./.test(unit);

const counts = ["short", "none", "locale", "sishort", "bool", "bool_yes_no", "bool_on_off"];

interface Fitting {
  readonly seconds: number;
  readonly bytes: number;
  readonly scale: number;
  readonly isTime?: boolean;
  readonly units: readonly string[];
  /** What such values are, for people. */
  readonly what: string;
}

const perSecondUnits = "reqps ops cps iops rps wps eps mps pps rowsps recps".split(" ");
const dates = `dateTimeAsIso dateTimeAsIsoNoDateIfToday dateTimeAsLocal dateTimeAsLocalNoDateIfToday
  dateTimeAsSystem dateTimeAsUS dateTimeAsUSNoDateIfToday dateTimeFromNow`.split(/\s+/);

const fittings: readonly Fitting[] = [
  { seconds: 1, bytes: 0, scale: 1, units: ["s", "dtdurations", "dthms"], what: "seconds" },
  {
    seconds: 1,
    bytes: 0,
    scale: 1e3,
    units: ["ms", "dtdurationms", "clockms"],
    what: "milliseconds",
  },
  { seconds: 1, bytes: 0, scale: 1e6, units: ["µs"], what: "microseconds" },
  { seconds: 1, bytes: 0, scale: 1 / 60, units: ["m"], what: "minutes" },
  {
    seconds: 1,
    bytes: 0,
    scale: 1e3,
    isTime: true,
    units: dates,
    what: "points in time, in milliseconds",
  },
  { seconds: 0, bytes: 1, scale: 1, units: ["bytes", "decbytes"], what: "bytes" },
  { seconds: 0, bytes: 1, scale: 8, units: ["bits", "decbits"], what: "bits" },
  { seconds: -1, bytes: 1, scale: 1, units: ["Bps", "binBps"], what: "bytes per second" },
  { seconds: -1, bytes: 1, scale: 8, units: ["bps", "binbps"], what: "bits per second" },
  { seconds: -1, bytes: 0, scale: 1, units: perSecondUnits, what: "a number per second" },
  {
    seconds: -1,
    bytes: 0,
    scale: 60,
    units: ["reqpm", "opm", "cpm", "rpm", "wpm"],
    what: "a number per minute",
  },
];

/**
 * Why a unit does not fit, and what would.
 *
 * @returns undefined where it fits; "unknown" where no unit is known for the dimension
 */
export function misfit(unit: string, dimension: Dimension): string | undefined {
  if (dimension.isTime && dimension.scale === 1) {
    return `the unit is ${JSON.stringify(unit)}, but the values are points in time in seconds; dates are in milliseconds: multiply by 1000`;
  }
  const fitting = fittingOf(dimension);
  if (!fitting) return "unknown";
  if (fitting.units.includes(unit) || isFree(unit, dimension)) return undefined;
  const expected = fitting.units
    .slice(0, 4)
    .map((name) => JSON.stringify(name))
    .join(", ");
  return `the unit is ${JSON.stringify(unit)}, but the values are ${fitting.what}; expected one of ${expected}`;
}

function fittingOf(dimension: Dimension): Pick<Fitting, "units" | "what"> | undefined {
  const { seconds, bytes, scale, isTime, share } = dimension;
  if (seconds !== 0 || bytes !== 0) {
    return fittings.find(
      (fitting) =>
        fitting.seconds === seconds &&
        fitting.bytes === bytes &&
        (fitting.isTime ?? false) === isTime &&
        close(fitting.scale, scale),
    );
  }
  if (close(scale, 100)) return { units: ["percent"], what: "shares times 100" };
  if (!close(scale, 1)) return undefined;
  if (share === "yes") return { units: ["percentunit"], what: "shares from 0 to 1" };
  if (share === "maybe")
    return { units: ["percentunit", ...counts], what: "quotients of like and like" };
  return { units: counts, what: "numbers of things" };
}

/** A text after the number says by itself what is counted. */
const isFree = (unit: string, { seconds, bytes }: Dimension): boolean =>
  /^(suffix|prefix):/.test(unit) && seconds <= 0 && bytes === 0;

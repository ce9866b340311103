/**
 * Which of Grafana's units fit what an expression measures.
 */
import { getValueFormats } from "@grafana/data";
import type { Dimension } from "./promql";

/** Units by what they format; their ids are those of @grafana/data's value formats. */
const units: [dimension: Omit<Dimension, "literal">, ids: string][] = [
  [{ seconds: 1, bytes: 0, factor: 1 }, "s dtdurations dthms"],
  [{ seconds: 1, bytes: 0, factor: 1000 }, "ms dtdurationms clockms"],
  [{ seconds: 1, bytes: 0, factor: 1e6 }, "µs"],
  [{ seconds: 1, bytes: 0, factor: 1e9 }, "ns"],
  [{ seconds: 0, bytes: 1, factor: 1 }, "bytes decbytes"],
  [{ seconds: 0, bytes: 1, factor: 8 }, "bits decbits"],
  [{ seconds: -1, bytes: 1, factor: 1 }, "Bps binBps"],
  [{ seconds: -1, bytes: 1, factor: 8 }, "bps binbps"],
  [{ seconds: 0, bytes: 0, factor: 1 }, "percentunit"],
  [{ seconds: 0, bytes: 0, factor: 100 }, "percent"],
  [{ seconds: -1, bytes: 0, factor: 1 }, "hertz cps ops reqps rps wps iops eps mps recps"],
];

/** Say nothing of a dimension; right for a count, and for a rate of counts. */
const plain = new Set(["", "none", "short", "sishort", "locale", "string"]);

const known = new Set(
  getValueFormats().flatMap(({ submenu }) => submenu.map(({ value }) => value)),
);

/** Units with a text of the dashboard's own, e.g. `suffix:/min`. */
const isOwn = (unit: string) => /^(suffix|prefix|time|si|count|currency|bool):/.test(unit);

export const isUnit = (unit: string): boolean => unit === "" || known.has(unit) || isOwn(unit);

/** What is wrong about a unit for what is measured; undefined where it fits or cannot be told. */
export function unitFault(unit: string, dimension: Dimension): string | undefined {
  const { seconds, bytes, factor, epoch } = dimension;
  const isDate = unit.startsWith("dateTime") || unit.startsWith("time:");
  if (isOwn(unit) && !isDate) return undefined;
  if (epoch) {
    if (isDate && factor === 1000) return undefined;
    return `is a moment in seconds × ${factor}; expected a date unit and milliseconds`;
  }
  const fits = units
    .filter(([other]) => other.seconds === seconds && other.bytes === bytes)
    .filter(([other]) => other.factor === factor)
    .flatMap(([, ids]) => ids.split(" "));
  if (fits.includes(unit)) return undefined;
  const isCount = bytes === 0 && seconds <= 0 && seconds >= -1;
  if (plain.has(unit) && isCount) return undefined;
  // Combinations that no unit of Grafana's names, such as bytes times seconds.
  if (fits.length === 0 && plain.has(unit)) return undefined;
  const measured = [bytes && `bytes^${bytes}`, seconds && `seconds^${seconds}`]
    .filter(Boolean)
    .join("·");
  const expected = fits.length > 0 ? `; expected ${fits.join(", ")}` : "";
  return `measures ${measured || "a plain number"}${factor === 1 ? "" : ` × ${factor}`}${expected}`;
}

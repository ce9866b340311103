/**
 * What Grafana does to the answers of a panel's queries before it shows them: tables out of several queries.
 *
 * A query of a table gives a row per series: a column per label, and one called `Value #<refId>`.
 */
import type { DataTransformerConfig } from "@grafana/grafana-foundation-sdk/dashboard";

/** One row out of those that have the same labels. */
export function merged(): DataTransformerConfig {
  return { id: "merge", options: {} };
}

/**
 * The columns in this order and under these names, by the names that they have; `undefined` hides one. Columns that
 * are not named, such as a run's own labels, follow. The time of the query is hidden.
 */
export function columns(
  names: Readonly<Record<string, string | undefined>>,
): DataTransformerConfig {
  const shown = Object.entries(names).filter(([, name]) => name !== undefined);
  const hidden = Object.keys(names).filter((field) => names[field] === undefined);
  return {
    id: "organize",
    options: {
      excludeByName: Object.fromEntries(["Time", ...hidden].map((field) => [field, true])),
      indexByName: Object.fromEntries(shown.map(([field], index) => [field, index])),
      renameByName: Object.fromEntries(shown),
    },
  };
}

/** Numbers of these columns are Unix milliseconds. After `columns`, which hides what is a time. */
export function times(...fields: readonly string[]): DataTransformerConfig {
  return {
    id: "convertFieldType",
    options: {
      fields: {},
      conversions: fields.map((targetField) => ({ targetField, destinationType: "time" })),
    },
  };
}

export function sortedBy(field: string): DataTransformerConfig {
  return { id: "sortBy", options: { fields: {}, sort: [{ field, desc: false }] } };
}

/**
 * What a field is expected to be, as new fields `Mean`, `Upper` and `Lower`: the mean of a row and of those before it,
 * and two standard deviations above and below.
 *
 * @param rows How many rows together.
 */
export function band(field: string, rows: number): readonly DataTransformerConfig[] {
  const trailing = (reducer: string, alias: string): DataTransformerConfig =>
    calculated({
      mode: "windowFunctions",
      alias,
      window: {
        field,
        reducer,
        windowAlignment: "trailing",
        windowSizeMode: "fixed",
        windowSize: rows,
      },
    });
  return [
    trailing("mean", "Mean"),
    trailing("stdDev", "Deviation"),
    binary("Deviation", "*", { fixed: "2" }, "Deviations"),
    binary("Mean", "+", byName("Deviations"), "Upper"),
    binary("Mean", "-", byName("Deviations"), "Lower"),
    { id: "organize", options: { excludeByName: { Deviation: true, Deviations: true } } },
  ];
}

/** A new field, of each row one field through another. */
export function quotient(dividend: string, divisor: string, alias: string): DataTransformerConfig {
  return binary(dividend, "/", byName(divisor), alias);
}

function binary(
  left: string,
  operator: string,
  right: object,
  alias: string,
): DataTransformerConfig {
  return calculated({ mode: "binary", alias, binary: { left: byName(left), operator, right } });
}

/** Rows of a table, not a time series: Grafana would join the fields by time otherwise. */
function calculated(options: Readonly<Record<string, unknown>>): DataTransformerConfig {
  return { id: "calculateField", options: { timeSeries: false, ...options } };
}

function byName(options: string): object {
  return { matcher: { id: "byName", options } };
}

/**
 * How differences between two runs are shown: in percent, and in the colour of what they mean.
 */
import { MappingType, type ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { named, type Override } from "./panel.ts";

/** Colours of a difference of which more is worse. */
const worseAbove: readonly ValueMapping[] = ranges([
  [null, -0.05, "green"],
  [-0.05, 0.05, "text"],
  [0.05, 0.2, "orange"],
  [0.2, null, "red"],
]);

/** Colours of a difference that should be none, either way. */
export const bestNone: readonly ValueMapping[] = ranges([
  [-0.05, 0.05, "green"],
  [-0.2, 0.2, "orange"],
  [null, null, "red"],
]);

/** The first range that holds a value counts; `null` is without end. */
export function ranges(
  steps: readonly (readonly [
    from: number | null,
    to: number | null,
    color: string,
    text?: string,
  ])[],
): ValueMapping[] {
  return steps.map(([from, to, color, text], index) => ({
    type: MappingType.RangeToText,
    options: { from, to, result: { color, index, ...(text !== undefined && { text }) } },
  }));
}

/** How a difference is shown. */
const percent: Readonly<Record<string, unknown>> = {
  unit: "percentunit",
  decimals: 1,
  "custom.cellOptions": { type: "color-text" },
};
/** A column of differences. */
export function colored(field: string): Override {
  return named(field, { ...percent, mappings: worseAbove });
}

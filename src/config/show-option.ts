/**
 * Options for people's eyes: secrets, and credentials in URLs, are masked.
 */
import type { NamedRow } from "./option-table.ts";
import { secretMask } from "./redact-url.ts";

/** A copy of `value`, of the same shape, without what nobody should see. */
export function toShownValue({ kind, secret }: NamedRow, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (!secret) return kind.redact(value);
  return value instanceof Map
    ? new Map([...value.keys()].map((name) => [name, secretMask]))
    : secretMask;
}

/** One line; `-` for what is absent. */
export function toShownText(row: NamedRow, value: unknown): string {
  return row.kind.format(toShownValue(row, value));
}

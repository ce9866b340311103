/**
 * Turns k6's tags into remote-write labels.
 *
 * In:  tag names and values in k6's form: any characters, also none.
 * Out: labels sorted by name, unique, none empty, all valid UTF-8.
 *
 * Source: Prometheus Remote-Write 1.0, "Labels". A receiver answers 400 to a request that breaks these rules,
 * and a 400 is never retried as it is.
 */
import type { Label } from "../aggregate/series-point.ts";
import type { Tags } from "../sample/sample.ts";

/** Mimir refuses longer values (2 048 bytes); VictoriaMetrics drops the whole series, in silence (4 096). */
export const labelValueLimitBytes = 2_048;
/** VictoriaMetrics drops series with longer names (256 bytes), Mimir refuses them (1 024). */
export const labelNameLimitBytes = 200;

/**
 * Labels per series, the name included. Mimir refuses series with more; VictoriaMetrics, above 40, drops labels or
 * the whole series in silence.
 */
export const labelLimit = 30;

/** What had to be changed to make labels of tags, counted per time that a series was looked at. */
export interface LabelChanges {
  /** Tags left out because another one, or a label of ours, has the same label name. */
  collisions: number;
  /** Values and names cut to their limits. */
  truncated: number;
  /** Tags left out because there were too many. */
  excess: number;
}

export function noLabelChanges(): LabelChanges {
  return { collisions: 0, truncated: 0, excess: 0 };
}

/**
 * Labels of `fixed` and then of `tags`, at most `limit`. Of two that become the same label name the first is kept, so
 * nothing replaces a fixed one. Tags whose names are label names come first, then the others, each by name: which
 * one is kept does not depend on their order.
 */
export function toLabels(
  fixed: readonly Label[],
  tags: Tags,
  changes: LabelChanges = noLabelChanges(),
  limit: number = labelLimit,
): Label[] {
  const values = new Map<string, string>();
  for (const { name, value } of fixed) if (value !== "") values.set(name, value);
  for (const [tag, tagValue] of [...tags].sort(byFirst)) {
    if (tag === "" || tagValue === "") continue;
    const fullName = toLabelName(tag);
    const name = fullName.slice(0, labelNameLimitBytes);
    const value = truncate(toWellFormed(tagValue), labelValueLimitBytes);
    if (name.length < fullName.length || value.length < tagValue.length) changes.truncated++;
    if (values.has(name)) changes.collisions++;
    else if (values.size >= limit) changes.excess++;
    else values.set(name, value);
  }
  return [...values].map(([name, value]) => ({ name, value })).sort(byName);
}

/** A valid label name: as it is where it is one, as k6 sends it; otherwise with `_` for what is not allowed. */
export function toLabelName(tag: string): string {
  const name = tag.replace(/[^a-zA-Z0-9_]/gu, "_");
  // Names that begin with two underscores are reserved by Prometheus; `__name__` would be the metric's name.
  if (name.startsWith("__")) return `tag${name}`;
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** For sorting: label names are ASCII here, so `<` is byte order (`Zone` before `__name__`). */
export function byName(a: Label, b: Label): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function byFirst([a]: readonly [string, string], [b]: readonly [string, string]): number {
  const order = Number(toLabelName(a) !== a) - Number(toLabelName(b) !== b);
  if (order !== 0) return order;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Lone surrogates, which JSON can spell and UTF-8 cannot, become U+FFFD. */
function toWellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "�");
}

/** At most `limitBytes` bytes of UTF-8, cut between characters. */
function truncate(text: string, limitBytes: number): string {
  // A UTF-16 unit is at most three bytes of UTF-8.
  if (text.length * 3 <= limitBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= limitBytes) return text;
  let end = limitBytes;
  // 10xxxxxx continues a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

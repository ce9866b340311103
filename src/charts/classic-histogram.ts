/**
 * Distributions from classic histograms: a counter for each upper bound, of all that is not above it.
 *
 * Quantiles are as coarse as the bounds are (aggregate/classic-buckets.ts): within about a fifth.
 */
import { type Bucket, type Labels, labelsKey, toNumber } from "../query/store.ts";
import type { Distribution } from "./distribution.ts";

export interface Ladder<Item> {
  /** Without `le`. */
  readonly labels: Labels;
  /** By ascending `le`. */
  readonly rungs: readonly { readonly upper: number; readonly item: Item }[];
}

/** Puts what differs in nothing but `le` together. */
export function inLadders<Item extends { readonly labels: Labels }>(
  items: readonly Item[],
): Ladder<Item>[] {
  const ladders = new Map<string, { labels: Labels; rungs: { upper: number; item: Item }[] }>();
  for (const item of items) {
    const { le = "", ...labels } = item.labels;
    const key = labelsKey(labels);
    const ladder = ladders.get(key) ?? { labels, rungs: [] };
    ladder.rungs.push({ upper: toNumber(le), item });
    ladders.set(key, ladder);
  }
  for (const { rungs } of ladders.values()) rungs.sort((a, b) => a.upper - b.upper);
  return [...ladders.values()];
}

/** @param rungs What is not above each bound, ascending; less than the rung below counts as that. */
export function fromRungs(
  rungs: readonly { readonly upper: number; readonly count: number }[],
): Distribution {
  const buckets: Bucket[] = [];
  let below = 0;
  let lower = 0;
  for (const { upper, count } of rungs) {
    if (count > below) buckets.push({ lower, upper, count: count - below });
    below = Math.max(below, count);
    lower = upper;
  }
  return buckets;
}

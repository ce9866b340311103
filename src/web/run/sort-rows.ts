/**
 * Rows of a table in the order that its reader chose. Pure.
 */
import type { TrendRow } from "../../charts/chart-data.ts";

export type SortKey = keyof TrendRow;

/** What has no value is last in either order; rows that are alike stay as they were, so that nothing jumps about. */
export function sortRows(
  rows: readonly TrendRow[],
  key: SortKey,
  order: "asc" | "desc",
): readonly TrendRow[] {
  const sign = order === "asc" ? 1 : -1;
  return rows.toSorted((a, b) => {
    const [left, right] = [a[key], b[key]];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return left < right ? -sign : left > right ? sign : 0;
  });
}

/** @param search part of a name, in whatever case */
export function filterRows(rows: readonly TrendRow[], search: string): readonly TrendRow[] {
  const wanted = search.trim().toLowerCase();
  return wanted === "" ? rows : rows.filter(({ name }) => name.toLowerCase().includes(wanted));
}

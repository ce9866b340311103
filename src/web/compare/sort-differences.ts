/**
 * Endpoints by how much one of their measures changed. Pure.
 */
import type { Difference, EndpointDifference } from "../../analyse/comparison.ts";

/** Those that only one of the runs has are last in either order. */
export function sortDifferences(
  endpoints: readonly EndpointDifference[],
  key: Exclude<keyof EndpointDifference, "name">,
  order: "asc" | "desc",
): readonly EndpointDifference[] {
  const sign = order === "asc" ? 1 : -1;
  return endpoints.toSorted((a, b) => {
    const [left, right] = [changeOf(a[key]), changeOf(b[key])];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return left === right ? 0 : left < right ? -sign : sign;
  });
}

/** From nothing to something is more than any share. */
function changeOf({ base, run, ratio }: Difference): number | null {
  if (base === null || run === null) return null;
  return ratio ?? (run > base ? Infinity : 0);
}

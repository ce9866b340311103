/**
 * Parts of PromQL that hold a value of somebody's: a testid or an endpoint's name may have any characters.
 *
 * Source: Prometheus, "Querying basics", String literals: escapes are Go's, of which JSON's are a part. RE2's syntax.
 */

/** A string literal. */
export function quoted(value: string): string {
  // A lone surrogate is no character to Go; where it was stored, it is U+FFFD.
  return JSON.stringify(value.replaceAll(/\p{Surrogate}/gu, "\u{fffd}"));
}

/** A literal of a regular expression that matches these values and nothing else. */
export function anyOf(values: readonly string[]): string {
  return quoted(values.map((value) => value.replaceAll(/[\\^$.|?*+()[\]{}]/g, "\\$&")).join("|"));
}

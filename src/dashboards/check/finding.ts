/**
 * What a check has to say: where, what is wrong, and what to do.
 */

export interface Finding {
  /** Dashboard, panel and refId, as far as they are known: `run › Requests › A`. */
  readonly place: string;
  readonly message: string;
}

/** Joins the parts of a place. */
export const at = (...parts: readonly string[]): string =>
  parts.filter((part) => part !== "").join(" › ");

/** The same thing said once, however many values of a variable it was found with. */
export function unique(findings: readonly Finding[]): Finding[] {
  return [
    ...new Map(
      findings.map((finding) => [`${finding.place}\n${finding.message}`, finding]),
    ).values(),
  ];
}

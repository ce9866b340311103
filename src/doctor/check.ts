/**
 * One thing that the doctor looked at.
 */

/** `problem`: a run would fail, or lose something. `warning`: it works, and could work better. */
export type CheckLevel = "ok" | "warning" | "problem";

export interface Check {
  /** docs/cli.md has a row for each. */
  readonly check: CheckName;
  readonly level: CheckLevel;
  /** What was found, and what it means. */
  readonly text: string;
  /** What to do about it, where there is something. */
  readonly change?: string;
  /** The same for a program. The keys of a check are always the same; `null` is what is not known. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export const checkNames = [
  "node",
  "config",
  "k6",
  "spool",
  "spool_data",
  "receiver",
  "authentication",
  "remote_write",
  "native_histograms",
  "out_of_order",
  "request_size",
  "limits",
  "retention",
  "clock",
] as const;

export type CheckName = (typeof checkNames)[number];

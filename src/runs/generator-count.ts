/**
 * What a load generator counted by itself, apart from the samples that it handed over.
 */
export interface GeneratorCount {
  readonly metric: string;
  /** As in `plimsoll_run_summary`: `count` of a counter; `nonzero` and `zero` samples of a rate. */
  readonly stat: "count" | "nonzero" | "zero";
  readonly value: number;
}

/**
 * What a comparison of two runs says. `base` is the earlier or better known one, `run` the one that is judged.
 */
import type { ChartSet } from "../charts/chart-data.ts";

/** A value of both; a ratio of 0.2 is a fifth more than `base`. Null where there is none. */
export interface Difference {
  readonly base: number | null;
  readonly run: number | null;
  readonly ratio: number | null;
}

export interface EndpointDifference {
  readonly name: string;
  readonly count: Difference;
  readonly perSecond: Difference;
  readonly failedRatio: Difference;
  readonly p50: Difference;
  readonly p95: Difference;
  readonly p99: Difference;
}

export interface Comparison {
  readonly base: { readonly id: number; readonly charts: ChartSet };
  /** Its times begin at the same second of the run as those of `base`: times are seconds since each run's start. */
  readonly run: { readonly id: number; readonly charts: ChartSet };
  /** Whether the loads were alike enough for the rest to mean anything; if not, why, in words. */
  readonly comparable: { readonly ok: boolean; readonly reasons: readonly string[] };
  readonly load: readonly { readonly name: string; readonly difference: Difference }[];
  readonly ladder: readonly { readonly percent: number; readonly difference: Difference }[];
  readonly endpoints: readonly EndpointDifference[];
}

/**
 * What a comparison of two runs says. `base` is the earlier or better known one, `run` the one that is judged.
 */
import type { ChartSet, Unit } from "../charts/chart-data.ts";

/** A value of both; a ratio of 0.2 is a fifth more than `base`. Null where there is none, as from 0 to something. */
export interface Difference {
  readonly base: number | null;
  readonly run: number | null;
  readonly ratio: number | null;
}

export interface LoadDifference {
  readonly name: string;
  readonly unit: Unit;
  readonly difference: Difference;
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
  /** Of both: one step, and times in seconds since the run's start. */
  readonly run: { readonly id: number; readonly charts: ChartSet };
  /** Whether the loads were alike enough for the rest to mean anything; if not, why, in words. */
  readonly comparable: { readonly ok: boolean; readonly reasons: readonly string[] };
  readonly load: readonly LoadDifference[];
  readonly ladder: readonly { readonly percent: number; readonly difference: Difference }[];
  readonly endpoints: readonly EndpointDifference[];
}

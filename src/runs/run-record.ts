/**
 * What is kept of a run for years: what it was, how it went, how it ended. Its samples are in the store.
 *
 * Times are Unix milliseconds. What k6 said is redacted before it gets here.
 */
import type { RunIdentity } from "./run-identity.ts";
import type { RunState } from "./run-state.ts";

/** What a JSON document holds. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where a run came from: `run` and `ingest` of this machine, k6's older cloud API, its newer one, or our own API. */
export type RunSource = "run" | "ingest" | "cloud-v1" | "cloud-v6" | "api";

/** Whether the thresholds passed; `error` for a run that was aborted for another reason. */
export type RunResult = "passed" | "failed" | "error";

export interface Transition {
  readonly state: RunState;
  readonly atMs: number;
  /** In words, where there is something to say. */
  readonly reason?: string;
  /** Who asked for it: the name of a token. */
  readonly by?: string;
}

/** A threshold as the script has it. */
export interface Threshold {
  /** The metric, or submetric with its filter, e.g. `http_req_duration{status:200}`. */
  readonly metric: string;
  /** E.g. `p(95)<500`. */
  readonly expression: string;
  readonly abortOnFail: boolean;
  /** How long the test runs before it can be aborted. */
  readonly delayAbortEvalMs: number;
}

export interface ThresholdVerdict extends Threshold {
  /** The value that was compared, in k6's unit; undefined where there was no sample. */
  readonly value: number | undefined;
  /** From what the server has got; undefined before the first evaluation. */
  readonly ok: boolean | undefined;
  /** What k6 itself said at its end; undefined where it says nothing. */
  readonly generatorOk: boolean | undefined;
}

/** A stat of a metric over all its series: the rows of `plimsoll_run_summary`. Times in seconds. */
export interface SummaryRow {
  readonly metric: string;
  readonly stat: string;
  readonly value: number;
}

export interface RunRecord extends RunIdentity {
  /** 1 to 2 147 483 647: k6 before v2.2 reads ids as int32. */
  readonly id: number;
  readonly testId: number;
  readonly projectId: number;
  readonly source: RunSource;
  readonly state: RunState;
  readonly result: RunResult | undefined;
  /** Oldest first; the last one is of `state`. */
  readonly history: readonly Transition[];
  /** Name and version, e.g. `k6/2.2.0`. */
  readonly generator: string;
  /** The name of the token or the user that started it. */
  readonly startedBy: string;
  readonly options: Json;
  readonly maxVus: number | undefined;
  /** How long the test may take, graceful stops included. */
  readonly expectedSeconds: number | undefined;
  readonly thresholds: readonly ThresholdVerdict[];
  readonly tags: Readonly<Record<string, string>>;
  readonly note: string;
  /** Somebody wants to find it again. */
  readonly starred: boolean;
  readonly createdMs: number;
  /** Of the first sample. */
  readonly startedMs: number | undefined;
  readonly endedMs: number | undefined;
  /** When the newest samples arrived. */
  readonly lastDataMs: number | undefined;
  /** Samples arrived after the end. */
  readonly hasLateData: boolean;
  readonly summary: readonly SummaryRow[];
  /** Where the samples are: URLs without credentials. */
  readonly stores: readonly string[];
  /** Bytes; 0 where there is none. */
  readonly archiveBytes: number;
  readonly logLines: number;
}

/** Of all HTTP requests of a run that is over; undefined where the summary has none. */
export interface Headline {
  readonly requests: number | undefined;
  /** Share that failed, 0 to 1. */
  readonly failedRatio: number | undefined;
  readonly p95Seconds: number | undefined;
}

/** What a list has of a run: nothing that is long. */
export type ListedRun = Omit<RunRecord, "history" | "options" | "summary" | "stores"> & {
  readonly headline: Headline;
};

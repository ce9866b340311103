/**
 * What can be done with a run while it goes on: the server does it, k6's cloud API and our own ask for it.
 */
import type { Json, RunRecord, RunSource, Threshold } from "./run-record.ts";
import type { RunState } from "./run-state.ts";

export interface StartRun {
  readonly projectId: number;
  /** Name of the test. */
  readonly test: string;
  readonly source: RunSource;
  readonly generator: string;
  readonly startedBy: string;
  /** Redacted. */
  readonly options: Json;
  readonly thresholds: readonly Threshold[];
  readonly maxVus: number | undefined;
  readonly expectedSeconds: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly note: string;
  /** Empty for none. */
  readonly idempotencyKey: string;
}

export interface StartedRun {
  readonly run: RunRecord;
  /** May push to this run, read its state and end it; shown here and kept nowhere. Of a repeated request, a new one. */
  readonly token: string;
}

export interface MetricsPush {
  readonly runId: number;
  /** Which of several generators; empty where it has no name. Label `instance_id`. */
  readonly instance: string;
  /** Of a request that is repeated, the same: its samples count once. */
  readonly key: string;
  /** A snappy block around a `MetricSet`, as k6 sends it. */
  readonly body: Buffer;
}

/** Why nothing of a push was taken: the run has as many names of generators, or of metrics, as it may have. */
export type PushExcess = "too_many_generators" | "too_many_metrics";

/** `stopped`: the run is over for this generator, and it should end. */
export type PushOutcome = "stored" | "repeated" | "stopped" | "unknown_run" | PushExcess;

export interface LogLine {
  /** Unix nanoseconds. */
  readonly timeNs: bigint;
  readonly level: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** How k6 says that a run ended. */
export interface ReportedEnd {
  /** `interrupted`: by the user or by a threshold, k6 does not say which. */
  readonly state: RunState | "interrupted";
  readonly reason?: string;
  /** Who, where a person ended it. */
  readonly by?: string;
  /** k6's own verdicts, where it has any. */
  readonly thresholds?: readonly {
    readonly metric: string;
    readonly expression: string;
    readonly ok: boolean;
  }[];
}

export type StopOutcome =
  /** The next push is answered with the request to stop. */
  | "stopping"
  /** This generator cannot be told; only its user can stop it. */
  | "unstoppable"
  | "over"
  | "unknown_run";

export interface RunService {
  start(request: StartRun): Promise<StartedRun>;
  /**
   * Resolves when the samples survive the end of this process, whether or not the store can be reached.
   *
   * @throws InputError for a body that cannot be read; nothing of it is stored
   */
  push(push: MetricsPush): Promise<PushOutcome>;
  /** Counts and cuts what is beyond the run's limit. Resolves false for a run that does not exist. */
  log(runId: number, lines: readonly LogLine[]): Promise<boolean>;
  /** The archive that k6 uploads, an uncompressed tar: kept redacted. @throws InputError */
  saveArchive(runId: number, tar: AsyncIterable<Uint8Array>): Promise<boolean>;
  end(runId: number, end: ReportedEnd): Promise<RunRecord | undefined>;
  stop(runId: number, by: string): Promise<StopOutcome>;
}

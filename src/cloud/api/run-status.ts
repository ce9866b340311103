/**
 * The states of a run in the words of k6's two APIs.
 *
 * Source: k6 `internal/cloudapi/v6/progress.go`, `cloudapi/run_status.go`, `internal/output/cloud/output.go`.
 */
import type { RunState } from "../../runs/run-state.ts";

/** What k6 waits for: a local run starts at `initializing` and at nothing else; the last two end its waiting. */
export type V6Status = "created" | "initializing" | "running" | "completed" | "aborted";

const v6Statuses: Readonly<Record<RunState, V6Status>> = {
  created: "created",
  initializing: "initializing",
  running: "running",
  finished: "completed",
  aborted_by_user: "aborted",
  aborted_by_threshold: "aborted",
  aborted_by_script_error: "aborted",
  aborted_by_system: "aborted",
  aborted_by_limit: "aborted",
  timed_out: "aborted",
};

export function toV6Status(state: RunState): V6Status {
  return v6Statuses[state];
}

/** How k6 says in its older API that a run has ended. Lower numbers are of runs that go on, and 10 of an upload. */
const legacyEnds: ReadonlyMap<number, RunState> = new Map([
  [3, "finished"],
  [4, "timed_out"],
  [5, "aborted_by_user"],
  [6, "aborted_by_system"],
  [7, "aborted_by_script_error"],
  [8, "aborted_by_threshold"],
  [9, "aborted_by_limit"],
]);

/** Undefined for a number that is no end. */
export function fromLegacyRunStatus(runStatus: number): RunState | undefined {
  return legacyEnds.get(runStatus);
}

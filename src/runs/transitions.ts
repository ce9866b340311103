/**
 * The state machine of a run: which state may follow which, and what the end says about its result.
 *
 *     created ─► initializing ─► running ─► finished | aborted_by_… | timed_out
 *
 * States may be skipped, for k6's older API never says that it initializes, and a run may end before its first sample.
 * No way leads back, and none leads out of an end. A run that is `timed_out` stays so when its generator comes back:
 * its late samples are stored and the record is marked (`hasLateData`), but who has read that the run was over, a CI
 * job for one, was told the truth.
 */
import type { RunResult, ThresholdVerdict } from "./run-record.ts";
import type { RunState } from "./run-state.ts";

/** How far along; all ends are equally far. */
const progress: Readonly<Record<RunState, number>> = {
  created: 0,
  initializing: 1,
  running: 2,
  finished: 3,
  aborted_by_user: 3,
  aborted_by_threshold: 3,
  aborted_by_script_error: 3,
  aborted_by_system: 3,
  aborted_by_limit: 3,
  timed_out: 3,
};

/** No other state can follow. */
export function isOver(state: RunState): boolean {
  return progress[state] === progress.finished;
}

/** False also for the state that a run is in already: to enter it again changes nothing. */
export function canEnter(from: RunState, to: RunState): boolean {
  return progress[to] > progress[from];
}

/**
 * What a state says about the result; undefined before the end. k6's own verdict wins over ours, which comes from
 * histograms. A threshold that nobody has judged has not failed.
 *
 * Source: k6 `internal/cloudapi/v6/progress.go`, whose `failed` is exit code 99 and whose `error` is 97.
 */
export function resultOf(
  state: RunState,
  thresholds: readonly Pick<ThresholdVerdict, "ok" | "generatorOk">[],
): RunResult | undefined {
  if (!isOver(state)) return undefined;
  if (state === "aborted_by_threshold") return "failed";
  if (state !== "finished") return "error";
  return thresholds.some(({ ok, generatorOk }) => (generatorOk ?? ok) === false)
    ? "failed"
    : "passed";
}

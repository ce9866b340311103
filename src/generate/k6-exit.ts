/**
 * What k6's end says about the run.
 *
 * Source: k6 `errext/exitcodes/codes.go`.
 */
import type { RunState } from "../runs/run-state.ts";
import type { K6Exit } from "./k6.ts";

/**
 * k6 exits with 99 whether thresholds failed at the end or ended the run, and says the difference only in its
 * log; the words are those of v1.8.1 and v2.2.0, and an integration test holds them to it.
 */
const thresholdAbort = /at least one has abortOnFail enabled, stopping test prematurely/;

/** Whether a line of k6's log says that a threshold has ended the run. */
export function isThresholdAbort(logLine: string): boolean {
  return thresholdAbort.test(logLine);
}

export function runStateOf(
  { code, signal }: K6Exit,
  { wasInterrupted, wasThresholdAbort }: { wasInterrupted: boolean; wasThresholdAbort: boolean },
): RunState {
  if (wasInterrupted) return "aborted_by_user";
  if (signal !== null) return "aborted_by_system";
  switch (code) {
    case 0:
    case 110:
      return "finished";
    case 99:
      return wasThresholdAbort ? "aborted_by_threshold" : "finished";
    case 103:
    case 105:
      return "aborted_by_user";
    case 100:
    case 101:
    case 102:
      return "aborted_by_limit";
    case 104:
    case 107:
    case 108:
      return "aborted_by_script_error";
    case null:
    default:
      return "aborted_by_system";
  }
}

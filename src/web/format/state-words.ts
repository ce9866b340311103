/**
 * What a run's state and result are called, and how they are meant.
 */
import type { RunListItem } from "../../server/api/run-view.ts";

type State = RunListItem["state"];
type Result = RunListItem["result"];

/** What colour and icon stand for; the words say it as well. */
export type Tone = "waiting" | "live" | "good" | "bad" | "warn" | "plain";

interface StateWords {
  readonly words: string;
  readonly tone: Tone;
}

const states: Readonly<Record<State, StateWords>> = {
  created: { words: "Created", tone: "waiting" },
  initializing: { words: "Initializing", tone: "waiting" },
  running: { words: "Running", tone: "live" },
  finished: { words: "Finished", tone: "plain" },
  aborted_by_user: { words: "Aborted by user", tone: "warn" },
  aborted_by_threshold: { words: "Aborted by threshold", tone: "bad" },
  aborted_by_script_error: { words: "Aborted by script error", tone: "bad" },
  aborted_by_system: { words: "Aborted by system", tone: "bad" },
  aborted_by_limit: { words: "Aborted by limit", tone: "bad" },
  timed_out: { words: "Timed out", tone: "bad" },
};

/** In the order of a run's life. */
export const stateNames: readonly State[] = Object.keys(states) as State[]; // its keys are exactly these

export function stateWords(state: State): string {
  return states[state].words;
}

export function stateTone(state: State): Tone {
  return states[state].tone;
}

/** Of those that go on, or are to begin. */
export function isUnderWay(state: State): boolean {
  return state === "created" || state === "initializing" || state === "running";
}

const results: Readonly<Record<Exclude<Result, null>, StateWords>> = {
  passed: { words: "Passed", tone: "good" },
  failed: { words: "Thresholds failed", tone: "bad" },
  error: { words: "Error", tone: "bad" },
};

export function resultWords(result: Exclude<Result, null>): StateWords {
  return results[result];
}

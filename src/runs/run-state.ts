/**
 * The states of a run. "Finished" says that the test ran its course; whether its thresholds passed is another
 * question.
 */

export const runStates = [
  "created",
  "initializing",
  "running",
  "finished",
  "aborted_by_user",
  "aborted_by_threshold",
  "aborted_by_script_error",
  "aborted_by_system",
  "aborted_by_limit",
  "timed_out",
] as const;

export type RunState = (typeof runStates)[number];

/**
 * The states of runs, with their colours, and how a table shows what passed.
 */
import type { ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { MappingType } from "@grafana/grafana-foundation-sdk/dashboard";

/**
 * As `plimsoll_run_state` has them, and `silent`: the run says that it is running, and has no points any more.
 */
export const stateColors: Readonly<Record<string, string>> = {
  created: "blue",
  initializing: "blue",
  running: "blue",
  finished: "green",
  silent: "red",
  aborted_by_user: "orange",
  aborted_by_threshold: "red",
  aborted_by_script_error: "red",
  aborted_by_system: "red",
  aborted_by_limit: "red",
  timed_out: "red",
};

export const stateMappings: readonly ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      Object.entries(stateColors).map(([state, color], index) => [
        state,
        { color, index, text: state.replaceAll("_", " ") },
      ]),
    ),
  },
];

/** For values that are 1 where something passed, else 0. */
export const passedMappings: readonly ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: {
      "0": { color: "red", index: 0, text: "failed" },
      "1": { color: "green", index: 1, text: "passed" },
    },
  },
];

/**
 * Whether a run can be stopped from a server, and what else to do: for the answer to who tries, and for who only looks.
 */
import type { RunRecord, RunSource } from "./run-record.ts";
import { isOver } from "./transitions.ts";

export interface Stop {
  readonly can: boolean;
  /** What happens then; or why it cannot be, and what to do instead. A sentence without its full stop. */
  readonly why: string;
}

const stops: Readonly<Record<RunSource, Stop>> = {
  "cloud-v1": { can: true, why: "k6 is told with the answer to its next push" },
  api: { can: true, why: "each generator is told with the answer to its next push" },
  // Only k6's older API lets an answer end a test.
  "cloud-v6": {
    can: false,
    why:
      "k6 cloud run --local-execution takes no orders from a server: press Ctrl-C where it runs; " +
      "k6 run --out cloud can be stopped from here",
  },
  run: { can: false, why: "plimsoll run sends its samples itself: press Ctrl-C where it runs" },
  ingest: {
    can: false,
    why: "plimsoll ingest reads what something else measures: press Ctrl-C where it runs",
  },
};

export function stopOf({ source, state }: Pick<RunRecord, "source" | "state">): Stop {
  return isOver(state) ? { can: false, why: `the run is over: ${state}` } : stops[source];
}

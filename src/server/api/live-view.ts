/**
 * The events of `GET /api/v1/runs/:id/live` (server-sent events), by name: the type of each one's `data`.
 */
import type { ChartSet, RunTables, StoreProblem } from "../../charts/chart-data.ts";
import type { RunView } from "./run-view.ts";

export interface LiveEvents {
  /** The record: at once, and whenever it has changed. */
  readonly run: RunView;
  /**
   * A step of one second. They overlap with what was sent before, and are right where they differ: a generator's samples may
   * come a few seconds late. The event's id is the newest time; a browser that comes back sends it, and goes on there.
   */
  readonly charts: ChartSet;
  /** Every few seconds. */
  readonly tables: RunTables;
  /** The store is away (a message), or is back (null). */
  readonly store: StoreProblem | null;
  /** What was missed is more than is sent again: ask for the charts. */
  readonly reset: Record<string, never>;
  /** The run is over and the store has all of it: nothing more comes. */
  readonly end: Record<string, never>;
}

/**
 * What an output has to know of samples that are kept elsewhere, and can be handed over again in the same order by a
 * later process: they make the same points, of which the earlier process has spooled the first.
 */
import type { PointSink } from "../aggregate/series-point.ts";
import type { Clock } from "../clock.ts";
import type { RunState } from "../runs/run-state.ts";
import type { Agreement } from "./negotiate.ts";

export interface JournaledSamples {
  /** What the receiver takes: it need not be there. */
  readonly agreement: Pick<Agreement, "protocol" | "trendForm">;
  /** Says when the samples that are handed over arrived. */
  readonly clock: Clock;
  /** Whether the points that are being made have been spooled by an earlier process. */
  readonly isSpooled: () => boolean;
  /** Where the store has samples of the run that will not be handed over again: the run's totals are not known. */
  readonly continues?: {
    /** Unix milliseconds of the run's first sample. */
    readonly startMs: number;
    readonly state: RunState;
  };
}

/** Points that are spooled already go nowhere. */
export function withoutSpooled(points: PointSink, isSpooled: () => boolean): PointSink {
  return {
    float: (...point) => void (isSpooled() || points.float(...point)),
    histogram: (...point) => void (isSpooled() || points.histogram(...point)),
    stale: (...point) => void (isSpooled() || points.stale(...point)),
    requestEnd: () => points.requestEnd(),
    intervalEnd: (timestampMs) => points.intervalEnd(timestampMs),
  };
}

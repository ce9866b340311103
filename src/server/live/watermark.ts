/**
 * Says how far a run's time has gone: up to when everything has arrived that is still expected.
 *
 * Generators sum up whole seconds of their own clocks and push when it suits them, so that their samples arrive up to
 * some seconds after they were made, each generator's always about as late. Time is therefore as far behind the clock as
 * the latest of them were of late. It goes on in silence as well, which keeps idle series alive.
 */
import { newestEndMs } from "../../cloud/check-metric-set.ts";
import type { MetricSet } from "../../cloud/metric-set.ts";

/** More than the latest were late: pushes of one moment come one after the other. */
const marginMs = 250;
/** How long a delay is remembered, at least; twice as long at most. */
const memoryMs = 10_000;
/**
 * What is later than this holds up nobody, and counts in a later interval. k6's own defaults, buckets of 3 s that wait for
 * 8 s, take up to 12 s.
 */
const longestDelayMs = 15_000;

export class Watermark {
  #delayMs: number;
  #earlierDelayMs = 0;
  #sinceMs: number;

  /**
   * @param nowMs When the run's samples begin to arrive, perhaps again: a generator that could not push for a while may
   * begin with what it has kept.
   * @param isAgain Whether they have come before.
   */
  constructor(nowMs: number, isAgain: boolean) {
    this.#sinceMs = nowMs;
    this.#delayMs = isAgain ? longestDelayMs : 0;
  }

  arrived(set: MetricSet, nowMs: number): void {
    const endMs = newestEndMs(set);
    if (endMs === undefined) return;
    if (nowMs - this.#sinceMs >= memoryMs) {
      this.#earlierDelayMs = this.#delayMs;
      this.#delayMs = 0;
      this.#sinceMs = nowMs;
    }
    const delayMs = Math.min(longestDelayMs, nowMs - endMs);
    if (delayMs > this.#delayMs) this.#delayMs = delayMs;
  }

  /** Nothing older is expected. Goes back when samples arrive later than those before. */
  at(nowMs: number): number {
    return nowMs - Math.max(this.#delayMs, this.#earlierDelayMs) - marginMs;
  }
}

/**
 * A wall clock that never goes back: samples that are recorded one after the other have times in that order.
 *
 * The system's clock is read once and counted on from there by the monotonic one, so that a correction of the
 * system's clock tears no hole into a run. Where the system's clock is ahead, because the machine slept or was
 * set right, it is followed: a point that is dated hours back is refused by a store.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/** Clocks are slewed by less than this, and no push interval notices it. */
const followFromMs = 1_000;

export interface TimeSources {
  /** Unix milliseconds; may jump. */
  readonly wallMs: () => number;
  /** Milliseconds since whenever; never falls. */
  readonly monotonicMs: () => number;
}

const systemTime: TimeSources = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export class SteadyClock implements Clock {
  readonly #time: TimeSources;
  /** From monotonic to Unix time. */
  #offsetMs: number;

  constructor(time: TimeSources = systemTime) {
    this.#time = time;
    this.#offsetMs = time.wallMs() - time.monotonicMs();
  }

  nowMs(): number {
    const { wallMs, monotonicMs } = this.#time;
    const sinceMs = monotonicMs();
    const aheadMs = wallMs() - sinceMs - this.#offsetMs;
    if (aheadMs > followFromMs) this.#offsetMs += aheadMs;
    return Math.floor(sinceMs + this.#offsetMs);
  }

  /** Keeps no process alive. */
  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    await delay(durationMs, undefined, { ref: false, ...(signal && { signal }) });
  }
}

/**
 * Time, passed in wherever it is needed, so that tests decide what time it is.
 */
import { setTimeout as delay } from "node:timers/promises";

export interface Clock {
  /** Unix time in whole milliseconds. */
  nowMs(): number;
  /** Resolves after `durationMs`; rejects with an AbortError when aborted before. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (durationMs, signal) => {
    await delay(durationMs, undefined, signal ? { signal } : {});
  },
};

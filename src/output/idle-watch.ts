/**
 * Lets event time go on while a live source is silent.
 *
 * With no newer sample for a while, as much event time is taken to have passed as wall-clock time since the newest
 * one came, less a grace for samples that are still under way. So it works for old samples as well, and for a
 * source whose clock is not ours.
 */
import type { Clock } from "../clock.ts";

const checkIntervalMs = 50;

export interface IdleWatchOptions {
  readonly clock: Clock;
  /** How long after it was made a sample may come. */
  readonly graceMs: number;
  /** The newest sample's own time, Unix milliseconds; 0 before the first. */
  readonly newestMs: () => number;
  readonly advanceTo: (timestampMs: number) => void;
}

export class IdleWatch implements Disposable {
  readonly #options: IdleWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #isStopped = false;
  /** The newest sample, and when it came. */
  #newestMs = 0;
  #arrivedMs = 0;

  /** Watches until disposed of. */
  constructor(options: IdleWatchOptions) {
    this.#options = options;
    // The check comes after the event loop has looked for input: what waits to be read is no silence.
    this.#timer = setInterval(() => void setImmediate(() => this.check()), checkIntervalMs);
    // What the samples come from keeps the process alive, or nothing should.
    this.#timer.unref();
  }

  check(): void {
    if (this.#isStopped) return;
    const { clock, graceMs, newestMs, advanceTo } = this.#options;
    const newest = newestMs();
    if (newest !== this.#newestMs) {
      this.#newestMs = newest;
      this.#arrivedMs = clock.nowMs();
    } else if (newest > 0) {
      advanceTo(newest + (clock.nowMs() - this.#arrivedMs) - graceMs);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#isStopped = true;
  }
}

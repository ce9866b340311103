/**
 * How often something may happen in a window of time, for each of many: the wrong tokens of an address, the runs of a token.
 *
 * A window begins with the first of them, and beyond the limit there is nothing until it is over.
 */
import type { Clock } from "../clock.ts";

/** More than there are in a company; older ones are forgotten. */
const remembered = 10_000;

export class WindowLimit {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #counts = new Map<string, { count: number; readonly sinceMs: number }>();

  constructor(clock: Clock, limit: { readonly count: number; readonly windowMs: number }) {
    this.#clock = clock;
    this.#limit = limit.count;
    this.#windowMs = limit.windowMs;
  }

  /** Seconds until it may happen again; 0: now. */
  waitSeconds(key: string): number {
    const current = this.#current(key);
    if (!current || current.count < this.#limit) return 0;
    return Math.ceil((current.sinceMs + this.#windowMs - this.#clock.nowMs()) / 1_000);
  }

  add(key: string): void {
    const current = this.#current(key) ?? { count: 0, sinceMs: this.#clock.nowMs() };
    current.count += 1;
    this.#counts.set(key, current);
    if (this.#counts.size > remembered) {
      const [oldest = ""] = this.#counts.keys();
      this.#counts.delete(oldest);
    }
  }

  #current(key: string): { count: number; readonly sinceMs: number } | undefined {
    const current = this.#counts.get(key);
    if (!current || this.#clock.nowMs() - current.sinceMs < this.#windowMs) return current;
    this.#counts.delete(key);
    return undefined;
  }
}

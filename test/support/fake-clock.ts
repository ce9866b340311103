/**
 * A clock that tests move by hand: nothing passes by itself.
 */
import type { Clock } from "../../src/clock.ts";

interface Sleeper {
  readonly wakesAtMs: number;
  readonly durationMs: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];
  #onSleep: (() => void)[] = [];

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** How long the sleeps under way were to last when they began, in the order in which they began. */
  get sleeping(): readonly number[] {
    return this.#sleepers.map(({ durationMs }) => durationMs);
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        wakesAtMs: this.#nowMs + durationMs,
        durationMs,
        wake: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#sleepers.push(sleeper);
      for (const notify of this.#onSleep.splice(0)) notify();
    });
  }

  /** Moves on, and wakes whom that concerns, in order of time. */
  advance(durationMs: number): void {
    this.#nowMs += durationMs;
    const due = this.#sleepers.filter(({ wakesAtMs }) => wakesAtMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due.sort((a, b) => a.wakesAtMs - b.wakesAtMs)) wake();
  }

  /** Resolves when somebody sleeps for exactly so long. */
  async waitForSleep(durationMs: number): Promise<void> {
    while (!this.sleeping.includes(durationMs)) {
      await new Promise<void>((resolve) => {
        this.#onSleep.push(resolve);
      });
    }
  }
}

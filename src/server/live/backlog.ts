/**
 * What is written down and waits to be worked on, of all runs of a server: how much it is, and whose turn it is.
 *
 * More may be pushed than the processor can take. Beyond a limit, whoever pushes is made to wait for the answer. And between
 * two slices of work the event loop comes round: libuv takes one new connection each time, so that with a piece of work of
 * each of 200 runs in between, the last of 200 generators was heard after half a minute.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** About what 100 generators of 500 series push in 20 s (docs/performance.md). */
const limitBytes = 32 * 1024 ** 2;
/** A push and its answer are worth about 2 ms: they are not to wait for many times as much. */
const sliceMs = 10;

export class Backlog {
  #bytes = 0;
  readonly #waiting: (() => Promise<void>)[] = [];
  #isGivingTurns = false;

  get isFull(): boolean {
    return this.#bytes > limitBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Does a piece of work, which waits for nothing outside, when it is its turn: first come, first served. */
  async turn(work: () => Promise<void>): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push(() => work().then(resolve, reject));
    });
    if (!this.#isGivingTurns) void this.#giveTurns();
    await done;
  }

  async #giveTurns(): Promise<void> {
    this.#isGivingTurns = true;
    while (this.#waiting.length > 0) {
      await nextTurn();
      const endMs = performance.now() + sliceMs;
      do {
        await this.#waiting.shift()?.();
      } while (this.#waiting.length > 0 && performance.now() < endMs);
    }
    this.#isGivingTurns = false;
  }
}

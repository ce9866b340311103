/**
 * Counts what is written down and waits to be worked on, of all runs of a server: memory that grows when more is pushed
 * than the processor can take. Beyond a limit, whoever pushes is made to wait for the answer.
 */

/** About what 100 generators of 500 series push in 20 s, and the work of 8 s of one core (docs/performance.md). */
const limitBytes = 32 * 1024 ** 2;

export class Backlog {
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes > limitBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}

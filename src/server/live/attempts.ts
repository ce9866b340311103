/** When something is tried that may fail: one attempt at a time; after a failure again in 5 s, then twice as late each time. */

const shortestDelayMs = 5_000;
const longestDelayMs = 60_000;

export class Attempts {
  #isUnderWay = false;
  #delayMs = shortestDelayMs;
  #againMs = 0;

  /** Whether the next may begin. Times are Unix milliseconds. */
  isDue(nowMs: number): boolean {
    return !this.#isUnderWay && nowMs >= this.#againMs;
  }

  begin(): void {
    this.#isUnderWay = true;
  }

  end(nowMs: number, hasFailed: boolean): void {
    this.#isUnderWay = false;
    this.#againMs = hasFailed ? nowMs + this.#delayMs : 0;
    this.#delayMs = hasFailed ? Math.min(this.#delayMs * 2, longestDelayMs) : shortestDelayMs;
  }
}

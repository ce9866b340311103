/**
 * Decides when a generator is saturated: when its latencies are no longer only those of the system under test.
 *
 * In:  CPU seconds that it has used so far, now and then. Out: its share of the cores, window by window.
 */

/**
 * From this share of all cores on, a window is saturated. k6 asks for at least 20 % idle and says that at 100 %
 * response times become much larger than they are; this is in the middle. Source: k6 documentation, "Running large
 * tests", CPU usage.
 */
const saturatedCpuRatio = 0.9;

/** A start of k6 and of Node's compiler keeps a small machine busy for a second or two: no reason for alarm. */
const windowMs = 5_000;

export class Saturation {
  readonly #cpus: number;
  #startMs: number;
  #startCpuSeconds = 0;
  #cpuRatio: number | undefined;
  #maxCpuRatio: number | undefined;
  #saturatedMs = 0;

  /** @param startMs Of any monotonic clock, the one of `add`. */
  constructor(cpus: number, startMs: number) {
    this.#cpus = cpus;
    this.#startMs = startMs;
  }

  /** @param cpuSeconds Since `startMs`, of all processes together. */
  add(atMs: number, cpuSeconds: number): void {
    const elapsedMs = atMs - this.#startMs;
    if (elapsedMs < windowMs) return;
    const used = Math.max(0, cpuSeconds - this.#startCpuSeconds);
    this.#cpuRatio = (used * 1_000) / (elapsedMs * this.#cpus);
    this.#maxCpuRatio = Math.max(this.#maxCpuRatio ?? 0, this.#cpuRatio);
    if (this.isSaturated) this.#saturatedMs += elapsedMs;
    this.#startMs = atMs;
    this.#startCpuSeconds = cpuSeconds;
  }

  get cpuRatio(): number | undefined {
    return this.#cpuRatio;
  }

  get maxCpuRatio(): number | undefined {
    return this.#maxCpuRatio;
  }

  get saturatedMs(): number {
    return this.#saturatedMs;
  }

  get isSaturated(): boolean {
    return (this.#cpuRatio ?? 0) > saturatedCpuRatio;
  }
}

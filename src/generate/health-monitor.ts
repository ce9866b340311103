/**
 * Watches the processes that make the load and send what it measures: CPU, memory, event loop.
 *
 * A generator that has no CPU to spare measures its own queue. So its health is part of the run's result.
 */
import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { GeneratorHealth, ProcessUsage } from "../runs/generator-health.ts";
import { availableCpus } from "./available-cpus.ts";
import { type RawUsage, readProcessUsage } from "./process-usage.ts";
import { Saturation } from "./saturation.ts";

/** Reading takes about 0.1 ms per process on Linux. */
const readIntervalMs = 1_000;
/** The monitor's timer fires this often; what it measures begins with it. Source: Node, `monitorEventLoopDelay`. */
const resolutionMs = 20;

interface Watched {
  readonly pid: number;
  /** CPU seconds before the run. */
  readonly earlierCpuSeconds: number;
  isGone: boolean;
}

export class HealthMonitor implements Disposable {
  readonly #cpus: number;
  readonly #saturation: Saturation;
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #watched = new Map<string, Watched>();
  readonly #processes = new Map<string, ProcessUsage>();
  readonly #timer: NodeJS.Timeout;
  #isReading = false;
  #eventLoopDelaySeconds = 0;

  /** Watches from now on until disposed of. @param pid Our own process. */
  static async start(pid: number): Promise<HealthMonitor> {
    const [cpus, usage] = await Promise.all([availableCpus(), readProcessUsage(pid)]);
    return new HealthMonitor(cpus, pid, usage);
  }

  private constructor(cpus: number, pid: number, usage: RawUsage | undefined) {
    this.#cpus = cpus;
    this.#saturation = new Saturation(cpus, performance.now());
    this.#watched.set("plimsoll", {
      pid,
      earlierCpuSeconds: usage?.cpuSeconds ?? 0,
      isGone: usage === undefined,
    });
    this.#delays.enable();
    this.#timer = setInterval(() => void this.#read(), readIntervalMs);
    this.#timer.unref();
  }

  /** Another process of the generator, which has just begun. */
  watch(name: string, pid: number): void {
    this.#watched.set(name, { pid, earlierCpuSeconds: 0, isGone: false });
  }

  get health(): GeneratorHealth {
    const { cpuRatio, maxCpuRatio, saturatedMs, isSaturated } = this.#saturation;
    return {
      cpus: this.#cpus,
      processes: this.#processes,
      eventLoopDelaySeconds: this.#eventLoopDelaySeconds,
      cpuRatio,
      maxCpuRatio,
      saturatedMs,
      isSaturated,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  async #read(): Promise<void> {
    // `ps` of a machine at its limit may take longer than the interval.
    if (this.#isReading) return;
    this.#isReading = true;
    const delayMs = this.#delays.percentile(99) / 1e6 - resolutionMs;
    this.#eventLoopDelaySeconds = Math.max(0, delayMs) / 1_000;
    this.#delays.reset();
    for (const [name, watched] of this.#watched) {
      if (watched.isGone) continue;
      const usage = await readProcessUsage(watched.pid);
      // Never again: its number may be another process's by then.
      if (usage === undefined) watched.isGone = true;
      else {
        this.#processes.set(name, {
          cpuSeconds: usage.cpuSeconds - watched.earlierCpuSeconds,
          residentBytes: usage.residentBytes,
        });
      }
    }
    const cpuSeconds = [...this.#processes.values()].reduce((sum, one) => sum + one.cpuSeconds, 0);
    this.#saturation.add(performance.now(), cpuSeconds);
    this.#isReading = false;
  }
}

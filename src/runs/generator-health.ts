/**
 * How the machine that makes the load bears it: measured in `generate/`, stored and reported with the run.
 */

export interface ProcessUsage {
  /** User and system time since the run began, in seconds; a core that is busy for a second is one. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export interface GeneratorHealth {
  /** Cores that the processes may use: a fraction where a container's quota is one. */
  readonly cpus: number;
  /** By name: `plimsoll`, and `k6` where it makes the load. What has ended stays, with its last figures. */
  readonly processes: ReadonlyMap<string, ProcessUsage>;
  /** How late timers of Plimsoll's own event loop fire: p99 of the last second. */
  readonly eventLoopDelaySeconds: number;
  /** Share of the cores in use, from 0 to 1, in the last whole window; undefined before the first is over. */
  readonly cpuRatio: number | undefined;
  /** Of the busiest window. */
  readonly maxCpuRatio: number | undefined;
  /** All windows together in which the cores were saturated. */
  readonly saturatedMs: number;
  readonly isSaturated: boolean;
}

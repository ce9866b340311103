/**
 * A real VictoriaMetrics (single node) for the time of one test, on a free loopback port, its data in a
 * temporary folder.
 */
import { join } from "node:path";
import { startServerProcess } from "./child-process.ts";
import type { MetricsStore } from "./prometheus.ts";
import { createQueryApi } from "./query-api.ts";

export interface VictoriaMetricsOptions {
  readonly program: string;
  /** Beside those for folder and port. */
  readonly flags?: readonly string[];
}

export interface VictoriaMetrics extends MetricsStore {
  /**
   * Shows what was written to queries sooner, but not at once: poll for it with a flush each time. By itself
   * VictoriaMetrics 1.79 takes up to 10 s.
   */
  flush(): Promise<void>;
}

export async function startVictoriaMetrics({
  program,
  flags = [],
}: VictoriaMetricsOptions): Promise<VictoriaMetrics> {
  const server = await startServerProcess({
    program,
    args: (port, folder) => [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${join(folder, "data")}`,
      // Queries as Prometheus answers them: up to now, and no values of the past for newer times.
      "-search.latencyOffset=0s",
      // In months: old files can be written, too.
      "-retentionPeriod=1200",
      ...flags,
    ],
    readyPath: "/health",
  });
  return {
    ...server,
    ...createQueryApi(server.url),
    writeUrl: `${server.url}/api/v1/write`,
    flush: async () => {
      await fetch(`${server.url}/internal/force_flush`);
    },
  };
}

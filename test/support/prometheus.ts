/**
 * A real Prometheus for the time of one test, on a free loopback port, its data in a temporary folder.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServerProcess } from "./child-process.ts";
import { createQueryApi, type QueryApi } from "./query-api.ts";

export interface PrometheusOptions {
  readonly program: string;
  /** Beside those for folder and port, e.g. `--enable-feature=native-histograms`. */
  readonly flags?: readonly string[];
  /** Default true: `--web.enable-remote-write-receiver`. */
  readonly remoteWrite?: boolean;
  /** prometheus.yml. Default: scrapes nothing. */
  readonly config?: string;
}

export interface MetricsStore extends AsyncDisposable, QueryApi {
  readonly url: string;
  readonly writeUrl: string;
}

export interface Prometheus extends MetricsStore {
  /** Where its blocks are. */
  readonly dataFolder: string;
  /** Kills it and starts it again, with what it had stored. */
  restart(): Promise<void>;
}

export async function startPrometheus({
  program,
  flags = [],
  remoteWrite = true,
  config = "global: {}\n",
}: PrometheusOptions): Promise<Prometheus> {
  const server = await startServerProcess({
    program,
    args: (port, folder) => {
      const configFile = join(folder, "prometheus.yml");
      writeFileSync(configFile, config);
      return [
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        ...(remoteWrite ? ["--web.enable-remote-write-receiver"] : []),
        ...flags,
      ];
    },
    readyPath: "/-/ready",
  });
  return {
    ...server,
    ...createQueryApi(server.url),
    writeUrl: `${server.url}/api/v1/write`,
    dataFolder: join(server.folder, "data"),
  };
}

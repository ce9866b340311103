/**
 * The services of the native stack, in the order in which they start: one row for each.
 *
 * A service starts after what it needs. Prometheus comes after all that it scrapes, so that it ends before them and
 * stores no failed scrape of a stack that is being ended.
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type ProcessRecord, recordOf, startDaemon, type StopSignals } from "./daemon.ts";
import { type Environment, findProgram, type FoundProgram, type Machine } from "./find-program.ts";
import { packagedFile } from "./packaged-files.ts";
import { findPostgres, startPostgres } from "./postgres.ts";
import { prometheusConfigFile } from "./prometheus-config.ts";
import { serviceAccount } from "./service-account.ts";
import type { StackSettings } from "./state.ts";

export type ServiceName =
  "node-exporter" | "postgres" | "postgres-exporter" | "shop" | "prometheus";

export interface StartContext {
  /** The stack's folder, absolute. */
  readonly folder: string;
  readonly machine: Machine;
  readonly settings: StackSettings;
  readonly port: number;
  readonly program: FoundProgram;
  /** What the program prints is appended. */
  readonly logFile: string;
  /** Where Postgres is, once it is started. */
  readonly databaseUrl: string | undefined;
}

export interface StartedService extends ProcessRecord {
  /** Of the service that others use as their database. */
  readonly databaseUrl?: string;
}

export interface Service {
  readonly name: ServiceName;
  /** The usual one; `--port-offset` is added. */
  readonly port: number;
  /** The Prometheus job that scrapes it at `/metrics`. */
  readonly job?: string;
  /** What to do where it is not found. */
  readonly install: string;
  /** Where one of these is left out, so is this. */
  readonly needs?: readonly ServiceName[];
  /** Answers 200 when the service can be used. Without it, it is enough that connections are taken. */
  readonly readyPath?: string;
  /** Default: SIGTERM, then SIGKILL. */
  readonly stopSignals?: StopSignals;
  /** In the stack's folder or not: what holds its data. */
  readonly dataFolder?: (folder: string) => string;
  /** The program, or why there is none, for a person. */
  readonly find: (machine: Machine) => FoundProgram | string;
  /** @throws StackError with what the program printed last */
  readonly start: (context: StartContext) => Promise<StartedService>;
}

const nodeExporter: Service = {
  name: "node-exporter",
  port: 9100,
  job: "node",
  install: "apt-get install prometheus-node-exporter",
  readyPath: "/metrics",
  find: ({ environment }) =>
    findProgram(
      {
        variables: ["PLIMSOLL_TOOL_NODE_EXPORTER"],
        names: ["prometheus-node-exporter", "node_exporter"],
        // The first with pressure (PSI) metrics.
        oldest: "0.17",
      },
      environment,
    ),
  start: (context) => daemonOf(context, [`--web.listen-address=127.0.0.1:${context.port}`]),
};

const postgres: Service = {
  name: "postgres",
  // 5432 is where a Postgres of the user's own is.
  port: 15_432,
  install: "apt-get install postgresql",
  // SIGTERM would wait for the clients to leave. SIGKILL would leave its processes behind.
  stopSignals: ["SIGINT", "SIGQUIT"],
  dataFolder: postgresFolder,
  find: ({ environment }) => {
    const found = findPostgres({ searchPath: environment["PATH"] });
    return found ? { path: found.postgres, version: found.version } : "not found";
  },
  start: async ({ folder, program, port }) => {
    const programs = findPostgres({ binFolder: dirname(program.path) });
    // It was found there a moment ago.
    if (!programs) throw new Error(`${program.path} has gone`);
    const options = { programs, folder: postgresFolder(folder), port, detached: true };
    const { pid, url } = await startPostgres(options);
    return { ...recordOf(pid), databaseUrl: url };
  },
};

/** Before 0.12 it has neither wait events nor statements; our queries give it both. */
const firstWithCollectors = "0.12";

const postgresExporter: Service = {
  name: "postgres-exporter",
  port: 9187,
  job: "postgres",
  install: "apt-get install prometheus-postgres-exporter",
  needs: ["postgres"],
  readyPath: "/metrics",
  find: ({ environment }) =>
    findProgram(
      {
        variables: ["PLIMSOLL_TOOL_POSTGRES_EXPORTER", "PLIMSOLL_TOOL_POSTGRES_EXPORTER_DEBIAN"],
        names: ["postgres_exporter", "prometheus-postgres-exporter"],
        oldest: "0.11",
      },
      environment,
    ),
  start: (context) => {
    const hasCollectors =
      context.program.version.localeCompare(firstWithCollectors, "en", { numeric: true }) >= 0;
    const args = [
      `--web.listen-address=127.0.0.1:${context.port}`,
      hasCollectors
        ? "--collector.stat_statements"
        : `--extend.query-path=${packagedFile("provisioning/postgres/queries.yaml")}`,
    ];
    // The server of the stack speaks no TLS; the exporter's library would insist on it.
    return daemonOf(context, args, { DATA_SOURCE_NAME: `${context.databaseUrl}?sslmode=disable` });
  },
};

const shop: Service = {
  name: "shop",
  port: 8080,
  job: "shop",
  install: postgres.install,
  readyPath: "/healthz",
  needs: ["postgres"],
  find: ({ node }) => node,
  start: (context) => {
    const server = packagedFile("examples/shop/server.mjs");
    return daemonOf(context, [server, "--port", String(context.port)], {
      DATABASE_URL: context.databaseUrl,
    });
  },
};

const prometheus: Service = {
  name: "prometheus",
  port: 9090,
  job: "prometheus",
  install: "apt-get install prometheus",
  readyPath: "/-/ready",
  dataFolder: prometheusFolder,
  find: ({ environment }) =>
    findProgram(
      {
        variables: ["PLIMSOLL_TOOL_PROMETHEUS_3", "PLIMSOLL_TOOL_PROMETHEUS_2"],
        names: ["prometheus"],
        // The first that stores native histograms.
        oldest: "2.40",
      },
      environment,
    ),
  start: (context) => {
    const { folder, port, settings, program } = context;
    return daemonOf(context, [
      `--config.file=${prometheusConfigFile(folder)}`,
      `--storage.tsdb.path=${prometheusFolder(folder)}`,
      `--storage.tsdb.retention.time=${settings.retention}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-remote-write-receiver",
      // Prometheus 3 stores them always.
      ...(program.version.startsWith("2.") ? ["--enable-feature=native-histograms"] : []),
    ]);
  },
};

export const services: readonly Service[] = [
  nodeExporter,
  postgres,
  postgresExporter,
  shop,
  prometheus,
];

/** Postgres refuses to be root, and the account that it then runs as cannot pass root's own folders. */
function postgresFolder(folder: string): string {
  if (!serviceAccount()) return join(folder, "postgres");
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  return `/var/lib/plimsoll/${hash}/postgres`;
}

function prometheusFolder(folder: string): string {
  return join(folder, "prometheus");
}

/** Of our environment a service gets what programs need; the rest may hold secrets that are none of its business. */
function daemonOf(
  { folder, machine, program, logFile }: StartContext,
  args: readonly string[],
  environment: Environment = {},
): Promise<ProcessRecord> {
  const { PATH, HOME, TZ } = machine.environment;
  const env = { PATH, HOME, TZ, ...environment };
  return startDaemon({ program: program.path, args, env, folder, logFile });
}

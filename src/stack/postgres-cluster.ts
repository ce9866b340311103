/**
 * The folder of a Postgres: made once, with a database and a user, and used by every later start.
 *
 *     <folder>/data          Postgres's own
 *     <folder>/password      the user's, mode 0600
 *     <folder>/programs-18.4 a copy, only where the account that Postgres runs as cannot reach the original
 *
 * Nobody but the user can log in, also no superuser: what one is needed for is done here, before there is a server.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf, StackError, systemErrorCode } from "../errors.ts";
import { blockingFolder, serviceAccount } from "./service-account.ts";

/** The name of the user and of its database. */
export const clusterUser = "shop";

export interface PostgresPrograms {
  /** Holds `initdb` and `postgres`; the real place, since libraries are found relative to it. */
  readonly binFolder: string;
  readonly postgres: string;
  /** E.g. `15.18`. */
  readonly version: string;
  /** Whether the contrib library `pg_stat_statements` is there to be preloaded. */
  readonly hasStatStatements: boolean;
}

/** What the programs are started with, all of them. */
export interface ClusterProcess {
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresCluster {
  readonly dataFolder: string;
  readonly password: string;
  /** Those given, or their copy. */
  readonly postgres: string;
  readonly process: ClusterProcess;
}

/** @throws StackError that says which folder to change, and what `initdb` has printed. */
export async function prepareCluster(
  programs: PostgresPrograms,
  folder: string,
): Promise<PostgresCluster> {
  const account = serviceAccount();
  await mkdir(folder, { recursive: true });
  if (account) {
    const blocking = blockingFolder(account, folder);
    if (blocking !== undefined) {
      throw new StackError(
        `Postgres refuses to run as root, and user ${JSON.stringify(account.name)} cannot pass ` +
          `${JSON.stringify(blocking)} to get at ${JSON.stringify(folder)}: ` +
          "choose another folder, or start it as the user who owns this one",
      );
    }
    await chown(folder, account.uid, account.gid);
  }
  await chmod(folder, 0o700);

  const process: ClusterProcess = {
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  };
  const isReachable = !account || blockingFolder(account, programs.postgres) === undefined;
  const binFolder = isReachable ? programs.binFolder : await copyPrograms(programs, folder);
  const dataFolder = join(folder, "data");
  const password = await ensurePassword(join(folder, "password"));
  const madeBy = await readIfThere(join(dataFolder, "PG_VERSION"));
  if (madeBy === undefined) {
    await createData({ programs, binFolder, dataFolder, password, process });
  } else if (madeBy.trim() !== String(Number.parseInt(programs.version, 10))) {
    throw new StackError(
      `${JSON.stringify(dataFolder)} was made by Postgres ${madeBy.trim()}, and this is ${programs.version}: ` +
        "use the other one, or remove the folder with its data",
    );
  }
  return { dataFolder, password, postgres: join(binFolder, "postgres"), process };
}

/** Postgres finds its libraries relative to its program, so all of it is copied: 60 MB, once. */
async function copyPrograms(programs: PostgresPrograms, folder: string): Promise<string> {
  const copy = join(folder, `programs-${programs.version}`);
  const partial = `${copy}.partial`;
  if ((await readIfThere(join(copy, "complete"))) === undefined) {
    await rm(partial, { recursive: true, force: true });
    await rm(copy, { recursive: true, force: true });
    await cp(join(programs.binFolder, ".."), partial, { recursive: true, verbatimSymlinks: true });
    await writeFile(join(partial, "complete"), "");
    await rename(partial, copy);
  }
  return join(copy, basename(programs.binFolder));
}

interface DataOptions {
  readonly programs: PostgresPrograms;
  readonly binFolder: string;
  readonly dataFolder: string;
  readonly password: string;
  readonly process: ClusterProcess;
}

/** Made beside its place and renamed into it: what was broken off is begun anew. */
async function createData({
  programs,
  binFolder,
  dataFolder,
  password,
  process,
}: DataOptions): Promise<void> {
  const partial = `${dataFolder}.partial`;
  await rm(partial, { recursive: true, force: true });
  const initdb = ["-D", partial, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=reject"];
  await runProgram(join(binFolder, "initdb"), initdb, process);
  await writeFile(
    join(partial, "pg_hba.conf"),
    `host all ${clusterUser} 127.0.0.1/32 scram-sha-256\n`,
  );
  const single = async (database: string, statements: readonly string[]) => {
    const settings = [
      "exit_on_error=on",
      "password_encryption=scram-sha-256",
      "log_statement=none",
    ];
    const args = ["--single", "-D", partial, ...settings.flatMap((one) => ["-c", one]), database];
    await runProgram(join(binFolder, "postgres"), args, process, `${statements.join("\n")}\n`);
  };
  await single("postgres", [
    `CREATE ROLE ${clusterUser} LOGIN PASSWORD '${password}' IN ROLE pg_monitor`,
    `CREATE DATABASE ${clusterUser} OWNER ${clusterUser}`,
  ]);
  if (programs.hasStatStatements) {
    await single(clusterUser, ["CREATE EXTENSION pg_stat_statements"]);
  }
  await rename(partial, dataFolder);
}

/**
 * A program that ends before it has read its input breaks the pipe: by itself that is an error only where the program
 * calls it a success.
 *
 * @throws StackError with all that the program has printed
 */
async function runProgram(
  program: string,
  args: readonly string[],
  process: ClusterProcess,
  input = "",
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let inputError: Error | undefined;
    const child = execFile(program, args, { ...process, cwd: "/" }, (failure, stdout, stderr) => {
      const error = failure ?? inputError;
      if (error) {
        reject(
          new StackError(`${program} failed: ${messageOf(error)}\n${stdout}${stderr}`.trim(), {
            cause: error,
          }),
        );
      } else {
        resolve();
      }
    });
    child.stdin?.on("error", (error) => {
      inputError = error;
    });
    child.stdin?.end(input);
  });
}

/** Read by nobody but us and root; Postgres keeps only its SCRAM verifier. */
async function ensurePassword(file: string): Promise<string> {
  const kept = await readIfThere(file);
  if (kept !== undefined) return kept.trim();
  const password = randomBytes(24).toString("base64url");
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

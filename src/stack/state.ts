/**
 * What `plimsoll up` has started, kept for `status`, `down` and the next `up`: one JSON file in the stack's folder.
 *
 * The file holds passwords, so it is its owner's alone (0600). It is replaced as a whole: a reader sees the old state
 * or the new one.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { z } from "zod";
import { messageOf, StackError, systemErrorCode } from "../errors.ts";
import { isRunning, type ProcessRecord, recordOf } from "../process-identity.ts";

const processRecord = z.object({ pid: z.int().positive(), identity: z.string() });

const serviceRecord = z.object({
  ...processRecord.shape,
  name: z.string(),
  port: z.int(),
  version: z.string(),
  program: z.string(),
  logFile: z.string(),
});

const settings = z.object({
  portOffset: z.int(),
  retention: z.string(),
  scrapeInterval: z.string(),
});

const stackState = z.object({
  mode: z.enum(["native", "docker"]),
  settings,
  dockerSettings: settings.pick({ portOffset: true, retention: true }).partial().optional(),
  services: z.array(serviceRecord),
  leftOut: z.array(z.object({ name: z.string(), reason: z.string() })),
  databaseUrl: z.string().optional(),
}) satisfies z.ZodType<StackState>;

/** A process of the stack. `identity` tells it from a later process with its id. */
export interface ServiceRecord extends ProcessRecord {
  readonly name: string;
  readonly port: number;
  readonly version: string;
  /** Absolute path. */
  readonly program: string;
  readonly logFile: string;
}

/** Fixed while the stack is up, and kept with its data: no later default deletes samples. */
export interface StackSettings {
  /** Added to every usual port. */
  readonly portOffset: number;
  /** How long samples are kept, as Prometheus writes it: `2y`, `90d`. */
  readonly retention: string;
  /** E.g. `5s`. */
  readonly scrapeInterval: string;
}

/** What the Compose file can be told. */
export interface DockerSettings {
  readonly portOffset?: number | undefined;
  readonly retention?: string | undefined;
}

export interface StackState {
  readonly mode: "native" | "docker";
  /** Of the native mode, as is the data in the folder. */
  readonly settings: StackSettings;
  /** Of the Docker mode, only what was asked for; the rest is its file's. Present where there may be volumes. */
  readonly dockerSettings?: DockerSettings | undefined;
  /** Of the native mode, in the order in which they were started. */
  readonly services: readonly ServiceRecord[];
  /** What was not found or did not start, and what to do. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  /** With its password. */
  readonly databaseUrl?: string | undefined;
}

const stateFile = "state.json";

/**
 * Undefined where nothing was ever started in this folder, or all was removed.
 *
 * @throws StackError if the file cannot be read or is not ours
 */
export function readState(folder: string): StackState | undefined {
  const file = join(folder, stateFile);
  try {
    return stackState.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new StackError(
      `the stack's state in ${JSON.stringify(file)} cannot be read: ${why}; ` +
        "remove the file if no process of the stack is running",
      { cause },
    );
  }
}

export function writeState(folder: string, state: StackState): void {
  const file = join(folder, stateFile);
  writeFileSync(`${file}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * Makes the folder, and keeps a second `up` or `down` out of it until disposed of.
 *
 * @throws StackError if another process is at it, or the folder cannot be made
 */
export function lockFolder(folder: string): Disposable {
  const file = join(folder, "lock");
  // Linked into its place when it is written: no other start finds a lock without an owner.
  const own = `${file}.${pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(own, JSON.stringify(recordOf(pid)), { mode: 0o600 });
    for (;;) {
      try {
        linkSync(own, file);
        return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
      } catch (error) {
        if (systemErrorCode(error) !== "EEXIST") throw error;
      }
      const owner = readOwner(file);
      if (owner && isRunning(owner)) {
        throw new StackError(
          `another plimsoll (process ${owner.pid}) starts or stops the stack in ` +
            `${JSON.stringify(folder)}; wait for it to end`,
        );
      }
      rmSync(file, { force: true });
    }
  } catch (cause) {
    if (cause instanceof StackError) throw cause;
    throw new StackError(
      `the stack's folder ${JSON.stringify(folder)} cannot be used: ${messageOf(cause)}; ` +
        "name another place with --data-dir",
      { cause },
    );
  } finally {
    rmSync(own, { force: true });
  }
}

/** Undefined where the file is gone, or has lost its content with the machine's power. */
function readOwner(file: string): ProcessRecord | undefined {
  try {
    return processRecord.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Such a lock is nobody's.
    return undefined;
  }
}

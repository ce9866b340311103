/**
 * A program that runs on when we have ended, and what finds it again later.
 *
 * In:  a command, a file for all that it prints.
 * Out: its process id and an identity that no later process with that id has, so that a stale record never ends
 *      a process that is not ours.
 *
 * Source: proc(5), `/proc/pid/stat`: state is field 3, start time since boot field 22.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { platform } from "node:os";
import { kill } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, StackError, systemErrorCode } from "../errors.ts";

export interface DaemonCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Working directory. */
  readonly folder: string;
  /** What it prints is appended. */
  readonly logFile: string;
  /** Root only: who it runs as. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface ProcessRecord {
  readonly pid: number;
  /** Differs for every process that has this id, over restarts of the machine too. */
  readonly identity: string;
}

const pollMs = 50;
/** Prometheus writes what it has in memory, Postgres a checkpoint; both wait for the disk. */
const stopTimeoutMs = 20_000;
/** Only a process that waits for a disk takes any time to be killed. */
const forceTimeoutMs = 5_000;

/** @throws StackError if the program cannot be started */
export async function startDaemon(command: DaemonCommand): Promise<ProcessRecord> {
  const { program, args, env, folder, logFile, account } = command;
  const log = openSync(logFile, "a", 0o600);
  try {
    // In a session of its own: the terminal's Ctrl-C and its end are not for it.
    const child = spawn(program, [...args], {
      cwd: folder,
      env: { ...env },
      stdio: ["ignore", log, log],
      detached: true,
      ...(account ? { uid: account.uid, gid: account.gid } : {}),
    });
    await once(child, "spawn");
    child.unref();
    return recordOf(child.pid ?? 0);
  } catch (cause) {
    throw new StackError(`${JSON.stringify(program)} cannot be started: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    closeSync(log);
  }
}

/** The record of a process of ours that has just been started. One that has ended already is recorded as such. */
export function recordOf(pid: number): ProcessRecord {
  return { pid, identity: identityOf(pid) ?? "ended" };
}

export function isRunning({ pid, identity }: ProcessRecord): boolean {
  return identityOf(pid) === identity;
}

/** What asks a program to end, and what makes it end. */
export type StopSignals = readonly [ask: NodeJS.Signals, force: NodeJS.Signals];

/**
 * Asks the process to end, waits, and makes it end when it takes too long. Returns at once where it has ended.
 *
 * @returns whether it ended when it was asked
 */
export async function stopProcess(
  record: ProcessRecord,
  [ask, force]: StopSignals = ["SIGTERM", "SIGKILL"],
): Promise<boolean> {
  signalProcess(record, ask);
  if (await hasEnded(record, stopTimeoutMs)) return true;
  signalProcess(record, force);
  await hasEnded(record, forceTimeoutMs);
  return false;
}

/** Nothing happens where the process has ended. */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): void {
  if (!isRunning(record)) return;
  try {
    kill(record.pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (systemErrorCode(error) === "ESRCH") return;
    throw new StackError(
      `process ${record.pid} cannot be sent ${signal}: ${messageOf(error)}; ` +
        "end the stack as the user who started it",
      { cause: error },
    );
  }
}

async function hasEnded(record: ProcessRecord, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (isRunning(record)) {
    if (performance.now() > deadlineMs) return false;
    await delay(pollMs);
  }
  return true;
}

/** Undefined where no such process runs. */
function identityOf(pid: number): string | undefined {
  try {
    return platform() === "linux" ? linuxIdentity(pid) : psIdentity(pid);
  } catch {
    // No such process: /proc has no such file, ps ends with 1.
    return undefined;
  }
}

function linuxIdentity(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Field 2 is the program's name in parentheses, which may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  // In a container whose first process reaps nothing, what has ended stays as a zombie.
  if (state === "Z" || state === "X") return undefined;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return `${boot} ${startTicks}`;
}

function psIdentity(pid: number): string | undefined {
  const args = ["-o", "stat=", "-o", "lstart=", "-p", String(pid)];
  // The start is printed in local time, which moves with the user and the season.
  const env = { LC_ALL: "C", TZ: "UTC" };
  const text = execFileSync("ps", args, { encoding: "latin1", env });
  const [, state = "", start] = /^\s*(\S+)\s+(.+?)\s*$/.exec(text) ?? [];
  return state.startsWith("Z") ? undefined : start;
}

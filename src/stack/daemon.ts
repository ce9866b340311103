/**
 * A program that runs on when we have ended, and what finds it again later.
 *
 * In:  a command, a file for all that it prints.
 * Out: a record of its process (process-identity.ts), so that a stale one never ends a process that is not ours.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { kill } from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, StackError, systemErrorCode } from "../errors.ts";
import { isRunning, type ProcessRecord, recordOf } from "../process-identity.ts";

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

/**
 * Says whether a process that was written down is still the one that runs, so that nothing is done to, or left to, a
 * later one that has got its id.
 *
 * In:  a process id. Out: a record of it, and, of a record, whether it runs. Both are good where they were made: an id
 * means another process, or none, in another container and on another machine.
 *
 * Source: proc(5), `/proc/pid/stat`: state is field 3, start time since boot field 22; pid_namespaces(7).
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, platform } from "node:os";

export interface ProcessRecord {
  readonly pid: number;
  /** Differs for every process that has this id, over restarts of the machine too. */
  readonly identity: string;
}

/** The record of a process that runs. One that has ended already is recorded as such. */
export function recordOf(pid: number): ProcessRecord {
  return { pid, identity: identityOf(pid) ?? "ended" };
}

export function isRunning({ pid, identity }: ProcessRecord): boolean {
  return identityOf(pid) === identity;
}

/**
 * Where process ids mean what they mean to us: no two of these that exist at the same time are called the same.
 * Undefined where that cannot be told.
 */
export function processSpace(): string | undefined {
  try {
    // A namespace's number is given again when it is gone, and then nobody runs in it any more.
    return platform() === "linux" ? `${bootId()} ${readlinkSync("/proc/self/ns/pid")}` : hostname();
  } catch {
    // No /proc.
    return undefined;
  }
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
  return `${bootId()} ${startTicks}`;
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

function psIdentity(pid: number): string | undefined {
  const args = ["-o", "stat=", "-o", "lstart=", "-p", String(pid)];
  // The start is printed in local time, which moves with the user and the season.
  const env = { LC_ALL: "C", TZ: "UTC" };
  const text = execFileSync("ps", args, { encoding: "latin1", env });
  const [, state = "", start] = /^\s*(\S+)\s+(.+?)\s*$/.exec(text) ?? [];
  return state.startsWith("Z") ? undefined : start;
}

/**
 * Keeps a second writer out of a spool's folder, by a file that holds the owner's process id.
 *
 * In:  a folder. Out: the lock, or a `SpoolError` that names the owner. The lock of a process that is
 * gone is taken over, so that a crash needs no clean-up by hand.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SpoolError, systemErrorCode } from "../errors.ts";

/** Locks of this thread. */
const held = new Set<string>();

export interface DirectoryLock {
  release(): void;
}

/** The running process that has the folder, if there is one. */
export function lockOwner(directory: string): number | undefined {
  const path = join(directory, "lock");
  const owner = readOwner(path);
  return isRunning(owner, path) ? owner : undefined;
}

/** @throws SpoolError when a running process (this one included) has the folder. */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, "lock");
  for (;;) {
    try {
      // Created with its content or not at all, as far as any other process can see in practice.
      writeFileSync(path, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      break;
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    }
    const owner = readOwner(path);
    if (isRunning(owner, path)) {
      throw new SpoolError(
        `spool folder ${JSON.stringify(directory)} is in use by process ${owner}; nothing was read or changed. ` +
          `If that process is not Plimsoll, remove ${JSON.stringify(path)}`,
      );
    }
    removeStaleLock(path, owner);
  }
  held.add(path);
  return {
    release: () => {
      held.delete(path);
      rmSync(path, { force: true });
    },
  };
}

/** `undefined` where the file is gone or holds no process id (its writer crashed in between). */
function readOwner(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isRunning(pid: number | undefined, path: string): boolean {
  if (pid === undefined) return false;
  if (pid === process.pid) return held.has(path) || isOfThisProcess(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return systemErrorCode(error) === "EPERM";
  }
}

/**
 * Whether a file with our own process id is another worker thread's, and not an earlier process's: in a container every
 * start has the same id.
 */
function isOfThisProcess(path: string): boolean {
  const writtenMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // The same in every thread.
  const startedMs = Date.now() - process.uptime() * 1_000;
  return writtenMs > startedMs;
}

/** Moved aside before it is removed: of two processes that find it stale, one moves and one finds nothing. */
function removeStaleLock(path: string, owner: number | undefined): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  // The other process was quicker and this is its new lock: back with it; the next look finds it running.
  if (readOwner(aside) !== owner) renameSync(aside, path);
  else rmSync(aside);
}

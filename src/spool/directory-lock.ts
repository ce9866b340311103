/**
 * Keeps a second writer out of a folder, by a file of three lines: the owner's process id, its identity, and where that
 * id is good (process-identity.ts). Of earlier versions it has the first line only.
 *
 * In:  a folder. Out: the lock, or a `SpoolError` that names the owner. The lock of a process that is gone is taken over,
 * so that a crash needs no clean-up by hand: at once where its owner can be asked for. That of another container or
 * machine cannot; it touches the file as long as it lives, and has lost the lock when it has not done so for 15 s, and
 * not while we looked on.
 */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { SpoolError, systemErrorCode } from "../errors.ts";
import { isRunning, processSpace, recordOf } from "../process-identity.ts";

const touchMs = 1_500;
/** Ten touches: a load generator may leave its machine little time for us. */
const staleMs = 15_000;
/** Two touches. A file looks old as well where its owner's machine has slept, or a clock is wrong or was set. */
const watchMs = 2 * touchMs;
const pollMs = 100;

export interface DirectoryLock {
  /** Whether the folder is still ours: a process that stood still, as in a container that was paused, may have lost it. */
  isHeld(): boolean;
  release(): void;
}

interface Owner {
  /** Undefined while it is still writing the file. */
  readonly pid: number | undefined;
  /** Whether it is known that it runs. Else it is in another container or on another machine, and may. */
  readonly isKnown: boolean;
}

/** The process that has the folder, if there is one: of another container or machine, by its id there. */
export function lockOwner(directory: string): number | undefined {
  const found = readLock(pathIn(directory));
  const owner = ownerOf(found);
  return owner?.isKnown === false && !isFresh(found) ? undefined : owner?.pid;
}

/**
 * Leaves a lock of another container or machine alone, however old: see `awaitDirectory`.
 *
 * @throws SpoolError when another process, or this one, has the folder, or may have it
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = pathIn(directory);
  for (;;) {
    const lock = createLock(path);
    if (lock !== undefined) return lock;
    const found = readLock(path);
    const owner = ownerOf(found);
    if (owner !== undefined) throw new SpoolError(inUse(directory, owner));
    if (found !== undefined) removeStaleLock(path, found.text);
  }
}

/**
 * The same, but waits for a sign of life of an owner that cannot be asked for: until its lock is 15 s old, at least 3 s and
 * 15 s at most. Without one, the lock is taken over.
 *
 * @param onNotice Is told that it waits.
 */
export async function awaitDirectory(
  directory: string,
  onNotice: (text: string) => void,
  clock: Pick<Clock, "sleep"> = systemClock,
): Promise<DirectoryLock> {
  const path = pathIn(directory);
  const found = readLock(path);
  const owner = ownerOf(found);
  if (found !== undefined && owner?.isKnown === false) {
    const [when, limitMs] = isFresh(found) ? [" just now", staleMs] : ["", watchMs];
    onNotice(
      `the folder ${JSON.stringify(directory)} was in use ${whose(owner)}${when}; ` +
        `waiting for a sign of it, ${limitMs / 1_000} s at most`,
    );
    if (await staysSilent(path, found, clock)) removeStaleLock(path, found.text);
    // An owner that ends meanwhile, with all delivered, takes the folder with it.
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  return lockDirectory(directory);
}

/**
 * Whether the lock stays as it is. Time is counted in looks: the wall clock may be set, their clock may be ahead of ours,
 * and while we stand still they may as well.
 */
async function staysSilent(
  path: string,
  found: LockFile,
  clock: Pick<Clock, "sleep">,
): Promise<boolean> {
  for (let watchedMs = 0; ; watchedMs += pollMs) {
    const seen = readLock(path);
    if (seen?.text !== found.text || seen.modifiedMs !== found.modifiedMs) return false;
    if (watchedMs >= (isFresh(found) ? staleMs : watchMs)) return true;
    await clock.sleep(pollMs);
  }
}

const pathIn = (directory: string): string => join(directory, "lock");

function whose({ pid, isKnown }: Owner): string {
  if (pid === undefined) return "by a process that is only just taking it";
  return `by process ${pid}${isKnown ? "" : " of another container or machine"}`;
}

function inUse(directory: string, owner: Owner): string {
  const remedy = owner.isKnown
    ? `If that process is not Plimsoll, remove ${JSON.stringify(pathIn(directory))}`
    : `If it was killed, the folder is free ${staleMs / 1_000} s after its end`;
  return `spool folder ${JSON.stringify(directory)} is in use ${whose(owner)}; nothing was read or changed. ${remedy}`;
}

interface LockFile {
  readonly text: string;
  readonly modifiedMs: number;
}

/** `undefined` where there is none. */
function readLock(path: string): LockFile | undefined {
  try {
    return { modifiedMs: statSync(path).mtimeMs, text: readFileSync(path, "utf8") };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** By the wall clock: one from the future is. */
function isFresh(file: LockFile | undefined): boolean {
  return file !== undefined && Date.now() - file.modifiedMs < staleMs;
}

/** `undefined` where it is known that nobody has it any more. */
function ownerOf(file: LockFile | undefined): Owner | undefined {
  if (file === undefined) return undefined;
  const [firstLine = "", identity, space] = file.text.split("\n");
  const pid = Number.parseInt(firstLine, 10) || undefined;
  if (pid !== undefined && !space) {
    // Of an earlier version. It cannot be of this process, but of one with the same id: a container's have often 1.
    const runs = pid !== process.pid && recordOf(pid).identity !== "ended";
    return runs ? { pid, isKnown: true } : undefined;
  }
  if (pid !== undefined && identity !== undefined && space === processSpace()) {
    return isRunning({ pid, identity }) ? { pid, isKnown: true } : undefined;
  }
  return { pid, isKnown: false };
}

/** `undefined` where there is one. */
function createLock(path: string): DirectoryLock | undefined {
  let fd: number;
  try {
    fd = openSync(path, "wx", 0o600);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return undefined;
    throw error;
  }
  const { pid, identity } = recordOf(process.pid);
  const text = `${pid}\n${identity}\n${processSpace() ?? "unknown"}\n`;
  try {
    writeSync(fd, text);
  } catch (error) {
    closeSync(fd);
    rmSync(path, { force: true });
    throw error;
  }
  const isHeld = (): boolean => {
    try {
      return readLock(path)?.text === text;
    } catch {
      // It cannot be looked at, and nothing says that it is another's.
      return true;
    }
  };
  const timer = setInterval(() => touch(fd), touchMs).unref();
  let isReleased = false;
  return {
    isHeld: () => !isReleased && isHeld(),
    release: () => {
      if (isReleased) return;
      isReleased = true;
      clearInterval(timer);
      closeSync(fd);
      if (!isHeld()) return;
      try {
        rmSync(path, { force: true });
      } catch (error) {
        // The folder cannot be written any more. The next look finds us gone.
        if (systemErrorCode(error) === undefined) throw error;
      }
    },
  };
}

/** By the descriptor: the file that has the name may be another's by then. */
function touch(fd: number): void {
  const now = new Date();
  try {
    futimesSync(fd, now, now);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    // Others may take us for ended, and `isHeld` will say so.
  }
}

/**
 * Moved aside before it is removed: of two processes that find it stale, one moves and one finds nothing. Each to a name of
 * its own, for which a process id is no good: in containers it is often 1.
 */
function removeStaleLock(path: string, staleText: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return;
    throw error;
  }
  // The other process was quicker and this is its new lock: back with it; the next look finds it.
  if (readFileSync(aside, "utf8") !== staleText) putBack(aside, path);
  rmSync(aside, { force: true });
}

/** Does not replace what a third process has put there since, as a rename does. */
function putBack(aside: string, path: string): void {
  try {
    linkSync(aside, path);
  } catch (error) {
    // A file system without hard links leaves no other way.
    if (systemErrorCode(error) !== "EEXIST") renameSync(aside, path);
  }
}

/**
 * What is kept of a run beside its record, in files of the data directory: its log and the archive of its script.
 *
 * `live/` writes them; here they are named, read and removed.
 */
import { createHash } from "node:crypto";
import type { ReadStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../errors.ts";
import type { RunRecord } from "../runs/run-record.ts";

export type NamedRun = Pick<RunRecord, "id" | "testid">;

/**
 * What the names of a run's files begin with: `17-3f2a90c1b6de`. A database that was restored gives a number again, and
 * a testid never.
 */
export function runFileName({ id, testid }: NamedRun): string {
  return `${id}-${createHash("sha256").update(testid).digest("hex").slice(0, 12)}`;
}

export interface RunFiles {
  /** JSON lines as they were stored, oldest first; undefined where there are none. */
  log(run: NamedRun): Promise<ReadStream | undefined>;
  /** The same, to be read anywhere and closed by the caller. */
  logFile(run: NamedRun): Promise<FileHandle | undefined>;
  /** The archive, redacted, an uncompressed tar. */
  archive(run: NamedRun): Promise<ReadStream | undefined>;
  /** Safe to call again. */
  remove(run: NamedRun): Promise<void>;
}

export function runFilesIn(dataDir: string): RunFiles {
  const logOf = (run: NamedRun) => join(dataDir, "logs", `${runFileName(run)}.jsonl`);
  const archiveOf = (run: NamedRun) => join(dataDir, "archives", `${runFileName(run)}.tar`);
  return {
    log: (run) => read(logOf(run)),
    logFile: (run) => openFile(logOf(run)),
    archive: (run) => read(archiveOf(run)),
    remove: async (run) => {
      await rm(logOf(run), { force: true });
      await rm(archiveOf(run), { force: true });
    },
  };
}

async function read(path: string): Promise<ReadStream | undefined> {
  return (await openFile(path))?.createReadStream();
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

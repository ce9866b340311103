/**
 * What is kept of a run beside its record, in files of the data directory: its log and the archive of its script.
 *
 * `live/` writes them; here they are read and removed.
 */
import type { ReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../errors.ts";

export interface RunFiles {
  /** JSON lines as they were stored, oldest first; undefined where there are none. */
  log(runId: number): Promise<ReadStream | undefined>;
  /** The archive, redacted, an uncompressed tar. */
  archive(runId: number): Promise<ReadStream | undefined>;
  /** Safe to call again. */
  remove(runId: number): Promise<void>;
}

export function runFilesIn(dataDir: string): RunFiles {
  const logOf = (runId: number): string => join(dataDir, "logs", `${runId}.jsonl`);
  const archiveOf = (runId: number): string => join(dataDir, "archives", `${runId}.tar`);
  return {
    log: (runId) => read(logOf(runId)),
    archive: (runId) => read(archiveOf(runId)),
    remove: async (runId) => {
      await rm(logOf(runId), { force: true });
      await rm(archiveOf(runId), { force: true });
    },
  };
}

async function read(path: string): Promise<ReadStream | undefined> {
  try {
    return (await open(path)).createReadStream();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

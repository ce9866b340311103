/**
 * What is kept of a run beside its record: its log and the archive of its script.
 */
import type { Readable } from "node:stream";

export interface RunFiles {
  /** JSON lines as they were stored, oldest first; undefined where there are none. */
  log(runId: number): Promise<Readable | undefined>;
  /** The archive, redacted, an uncompressed tar. */
  archive(runId: number): Promise<Readable | undefined>;
  /** Safe to call again. */
  remove(runId: number): Promise<void>;
}

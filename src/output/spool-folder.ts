/**
 * Names the folder in which a run's requests wait for a receiver.
 *
 * Two runs, and two receivers of one run, never share a spool: what one store lacks is of no use to another.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

/** File systems take 255 bytes; the name begins readably and ends with what makes it unique. */
const readableLength = 100;

export function spoolFolder(spoolDir: string, testid: string, url: string): string {
  const readable = testid.replace(/[^\w.-]+/g, "-").slice(0, readableLength);
  const hash = createHash("sha256")
    .update(JSON.stringify([testid, url]))
    .digest("hex");
  return join(spoolDir, `${readable}-${hash.slice(0, 12)}`);
}

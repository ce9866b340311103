/**
 * Remembers, across processes, up to which batch the spool is acknowledged: `position.json`, which holds
 * `{"acknowledged":<sequence>}`.
 *
 * A position that is lost or old costs no data: the batches since then are sent again.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../errors.ts";

const pathIn = (directory: string): string => join(directory, "position.json");

/**
 * Written beside and renamed, so that a reader finds the old position or the new one, whole. Does not throw
 * for a disk that is full or failing: that must not stop the sending, which empties it.
 *
 * @param durable Whether the bytes are on the disk itself when this returns: before a segment is removed.
 */
export function savePosition(
  directory: string,
  acknowledged: number,
  { durable }: { readonly durable: boolean },
): void {
  const path = pathIn(directory);
  try {
    const fd = openSync(`${path}.new`, "w", 0o600);
    try {
      writeSync(fd, JSON.stringify({ acknowledged }));
      if (durable) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(`${path}.new`, path);
  } catch (error) {
    // The old position stays, see above. Anything but an answer of the operating system is a bug.
    if (systemErrorCode(error) === undefined) throw error;
  }
}

/** `undefined` where there is none, or it is damaged. */
export function readPosition(directory: string): number | undefined {
  try {
    const text = readFileSync(pathIn(directory), "utf8");
    const acknowledged = /^\{"acknowledged":(\d+)\}$/.exec(text)?.[1];
    return acknowledged === undefined ? undefined : Number(acknowledged);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export function removePosition(directory: string): void {
  const path = pathIn(directory);
  for (const file of [path, `${path}.new`]) rmSync(file, { force: true });
}

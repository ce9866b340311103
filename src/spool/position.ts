/**
 * Remembers, across processes, up to which batch a queue is acknowledged: `position.json`, which holds
 * `{"acknowledged":<sequence>}`, padded to a fixed length.
 *
 * Overwritten in place: its room is reserved when the queue is opened, so a disk that is full later, the time
 * when segments must go, does not stop it. A position that is lost or old costs no data: the batches since
 * then are sent again.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../errors.ts";

/** Room for any safe integer. Far below a disk's sector: no crash leaves half of it. */
const fileBytes = 64;

const pathIn = (directory: string): string => join(directory, "position.json");

/** `undefined` where there is none, or it is damaged. */
export function readPosition(directory: string): number | undefined {
  try {
    const text = readFileSync(pathIn(directory), "utf8");
    const acknowledged = /^\{"acknowledged":(\d+)\} *\n?$/.exec(text)?.[1];
    return acknowledged === undefined ? undefined : Number(acknowledged);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export class PositionFile {
  readonly #directory: string;
  #fd: number | undefined;
  /** Whether the folder's entry of the file is on the disk itself. */
  #isListed = false;

  /** No I/O: the first `save` creates the file. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Does not throw for a disk that is full or failing: that must not stop the sending, which empties it.
   *
   * @param durable Whether the bytes are on the disk itself when this returns: before a segment is removed.
   */
  save(acknowledged: number, { durable }: { readonly durable: boolean }): void {
    const text = `${JSON.stringify({ acknowledged }).padEnd(fileBytes - 1)}\n`;
    try {
      this.#fd ??= openSync(pathIn(this.#directory), constants.O_RDWR | constants.O_CREAT, 0o600);
      writeSync(this.#fd, text, 0);
      if (!durable) return;
      fsyncSync(this.#fd);
      if (!this.#isListed) syncDirectory(this.#directory);
      this.#isListed = true;
    } catch (error) {
      // The old position stays, see above. Anything but an answer of the operating system is a bug.
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Does not throw where the folder cannot be written. */
  remove(): void {
    this.close();
    try {
      rmSync(pathIn(this.#directory), { force: true });
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }
}

/** A new file is on the disk when its folder's entry is. */
function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

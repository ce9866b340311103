/**
 * One file of the spool: records one after the other, appended at the end, read in order.
 *
 * In:  whole records. Out: the next intact batch after an offset. A damaged stretch is stepped over by
 * looking for the next record that is whole, passes its checksum and has a higher sequence number. A record of
 * a later Plimsoll is no damage: reading it throws.
 * Which segment is written, read or removed, and what has been acknowledged, is left to `Spool`.
 *
 * The file is named by the sequence number of its first record, in 16 digits (2^53 has 16), so that
 * sorting by name is sorting by age.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { SpoolError, systemErrorCode } from "../errors.ts";
import { decodeRecord, recordHeaderBytes, recordLength, recordMagic } from "./record.ts";
import type { SpooledBatch } from "./spooled-batch.ts";

const namePattern = /^(\d{16})\.segment$/;

/** The first sequence number of the segment with this file name; `undefined` for another file. */
export function parseSegmentName(fileName: string): number | undefined {
  const digits = namePattern.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A batch and where the record after it begins. */
export interface LocatedBatch {
  readonly batch: SpooledBatch;
  readonly endOffset: number;
}

/** `read`: of a folder that belongs to another process; nothing is created and nothing is changed. */
export type SegmentAccess = "read" | "write";

export class Segment {
  readonly firstSequence: number;
  readonly path: string;
  readonly #access: SegmentAccess;
  #fd: number | undefined;
  /** Where the file cannot be opened to write. */
  #readFd: number | undefined;
  #sizeBytes: number;

  /** Opens the file; to write, it is created (mode 0600) where it does not exist. */
  constructor(directory: string, firstSequence: number, access: SegmentAccess) {
    this.firstSequence = firstSequence;
    this.path = join(directory, `${String(firstSequence).padStart(16, "0")}.segment`);
    this.#access = access;
    this.#sizeBytes = fstatSync(this.#open()).size;
  }

  /** Up to the end of the last record that was written whole. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Writes at the end of the last whole record. Where the disk is full this throws and the segment is as
   * it was: what was written of the record lies behind its end, and the next append overwrites it.
   */
  append(record: Buffer): void {
    const fd = this.#open();
    for (let written = 0; written < record.length;) {
      written += writeSync(fd, record, written, record.length - written, this.#sizeBytes + written);
    }
    this.#sizeBytes += record.length;
  }

  /**
   * The first intact batch at or behind `offset` with a sequence number of at least `minSequence`. After a
   * power failure a file may hold blocks of a removed one, with records that are whole and old.
   *
   * @throws SpoolError at a record of a later Plimsoll.
   */
  next(offset: number, minSequence: number): LocatedBatch | undefined {
    const found = this.#recordAt(offset, minSequence);
    if (found !== undefined || offset >= this.#sizeBytes) return found;
    // Damage, a torn tail, or the first look after a restart: rare enough to read the whole rest at once.
    const rest = this.#read(offset, this.#sizeBytes - offset);
    for (let at = rest.indexOf(recordMagic, 1); at !== -1; at = rest.indexOf(recordMagic, at + 1)) {
      const later = this.#recordAt(offset + at, minSequence);
      if (later !== undefined) return later;
    }
    return undefined;
  }

  /** Cuts off what lies behind `offset`. */
  truncate(offset: number): void {
    ftruncateSync(this.#open(), offset);
    this.#sizeBytes = offset;
  }

  /** Returns when the records are on the disk itself, not only with the operating system. */
  sync(): void {
    fsyncSync(this.#open());
  }

  /** Frees the file descriptors. The next use opens the file again. */
  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    if (this.#readFd !== undefined) closeSync(this.#readFd);
    this.#fd = undefined;
    this.#readFd = undefined;
  }

  /** @throws what the file system throws; it can be tried again */
  remove(): void {
    this.release();
    rmSync(this.path, { force: true });
  }

  #recordAt(offset: number, minSequence: number): LocatedBatch | undefined {
    const length = recordLength(this.#read(offset, recordHeaderBytes));
    // A damaged length must not make us read (or allocate) beyond the file.
    if (length === undefined || length > this.#sizeBytes - offset) return undefined;
    const batch = decodeRecord(this.#read(offset, length));
    if (batch === "newer") {
      throw new SpoolError(
        `spool segment ${JSON.stringify(this.path)} was written by a newer Plimsoll; nothing of it was sent or changed: ` +
          "send it with that version",
      );
    }
    if (batch === undefined || batch.sequence < minSequence) return undefined;
    return { batch, endOffset: offset + length };
  }

  /** Fewer than `length` bytes where the file ends before. */
  #read(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#sizeBytes - offset)));
    const fd = this.#openToRead();
    let filled = 0;
    while (filled < buffer.length) {
      const read = readSync(fd, buffer, filled, buffer.length - filled, offset + filled);
      if (read === 0) break;
      filled += read;
    }
    return buffer.subarray(0, filled);
  }

  /** What is in a folder that cannot be written any more is still sent. */
  #openToRead(): number {
    if (this.#readFd !== undefined) return this.#readFd;
    try {
      return this.#open();
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      this.#readFd = openSync(this.path, constants.O_RDONLY);
      return this.#readFd;
    }
  }

  #open(): number {
    // Not O_APPEND: Linux would ignore the position that `append` gives.
    const flags =
      this.#access === "read" ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT;
    this.#fd ??= openSync(this.path, flags, 0o600);
    return this.#fd;
  }
}

/**
 * What has happened to one run, in a file: written before anybody is told, read again after a restart.
 *
 * In:  entries, appended. Out: the same, in order, numbered from 1. What a crash left at the end, a record that was
 * never written whole, is cut off when the file is opened; so a reader gets the beginning of what was written.
 *
 * The process may die at any moment. If the machine does, what was appended since the last `sync` may be lost.
 */
import {
  closeSync,
  constants,
  fdatasync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, SpoolError, systemErrorCode } from "../../errors.ts";
import { type NamedRun, runFileName } from "../run-files.ts";
import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalEntry,
  type JournalRecord,
  journalRecordLength,
  recordHeaderBytes,
} from "./journal-record.ts";

export interface NumberedRecord extends JournalRecord {
  readonly number: number;
}

const noBody = Buffer.alloc(0);
const readBytes = 1024 ** 2;

export class Journal {
  /** Cut off the end when the file was opened. */
  readonly tornBytes: number;
  readonly #path: string;
  readonly #limitBytes: number;
  readonly #fd: number;
  #isSynced = true;
  #sizeBytes: number;
  #length: number;
  #isGivenUp = false;

  /**
   * Creates the file (mode 0600) where there is none.
   *
   * @param onRecord Is given what the file holds.
   * @throws SpoolError where a later Plimsoll has written; what the file system throws
   */
  static async open(
    path: string,
    limitBytes: number,
    onRecord: (record: NumberedRecord) => void,
  ): Promise<Journal> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    let sizeBytes = 0;
    let length = 0;
    try {
      const { size } = await file.stat();
      for await (const record of readRecords(file, size, path)) {
        onRecord(record);
        sizeBytes += record.bytes;
        length = record.number;
      }
      if (size > sizeBytes) await file.truncate(sizeBytes);
      if (length === 0) await syncFolder(dirname(path));
      return new Journal(path, limitBytes, { sizeBytes, length, tornBytes: size - sizeBytes });
    } finally {
      await file.close();
    }
  }

  private constructor(
    path: string,
    limitBytes: number,
    found: { readonly sizeBytes: number; readonly length: number; readonly tornBytes: number },
  ) {
    this.#path = path;
    this.#limitBytes = limitBytes;
    // Not O_APPEND: Linux would ignore the position that is written to.
    this.#fd = openSync(path, constants.O_RDWR);
    this.#sizeBytes = found.sizeBytes;
    this.#length = found.length;
    this.tornBytes = found.tornBytes;
  }

  /** How many records there are: the number of the last one. */
  get length(): number {
    return this.#length;
  }

  /** Whether it no longer has all that happened. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /**
   * Writes a record behind all others; when this returns it survives the process. Returns why it could not, and then
   * the file is as it was; a journal that is given up takes everything and keeps nothing.
   */
  append(entry: JournalEntry, body: Buffer = noBody): string | undefined {
    if (this.#isGivenUp) {
      this.#length++;
      return undefined;
    }
    const record = encodeJournalRecord({ entry, body });
    if (this.#sizeBytes + record.length > this.#limitBytes) {
      return `its journal's limit of ${this.#limitBytes} bytes is reached`;
    }
    try {
      for (let written = 0; written < record.length;) {
        const at = this.#sizeBytes + written;
        written += writeSync(this.#fd, record, written, record.length - written, at);
      }
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return messageOf(error);
    }
    this.#sizeBytes += record.length;
    this.#length++;
    // How far a spool is may be forgotten: then points are spooled again.
    if (entry.kind !== "spooled") this.#isSynced = false;
    return undefined;
  }

  /** Resolves when what was appended is on the disk itself. A failing disk is reported by the next append. */
  async sync(): Promise<void> {
    if (this.#isSynced) return;
    this.#isSynced = true;
    try {
      await promisify(fdatasync)(this.#fd);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  /** What was appended so far, up to a number. */
  async *read(upTo: number): AsyncGenerator<NumberedRecord> {
    const file = await open(this.#path, "r");
    try {
      for await (const record of readRecords(file, this.#sizeBytes, this.#path)) {
        if (record.number > upTo) return;
        yield record;
      }
    } finally {
      await file.close();
    }
  }

  /** Keeps nothing from here on. What there is can be read until it is discarded. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** Forgets everything: a part of what happened would be worse than nothing. */
  discard(): void {
    ftruncateSync(this.#fd, 0);
    this.#sizeBytes = 0;
  }

  async close(): Promise<void> {
    await this.sync();
    closeSync(this.#fd);
  }

  async remove(): Promise<void> {
    await this.close();
    rmSync(this.#path, { force: true });
  }
}

/** A new file is on the disk when its folder's entry is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function journalPath(directory: string, run: NamedRun): string {
  return join(directory, `${runFileName(run)}.journal`);
}

/** The records up to the first that is not whole, or damaged. */
async function* readRecords(
  file: FileHandle,
  endOffset: number,
  path: string,
): AsyncGenerator<NumberedRecord & { readonly bytes: number }> {
  let buffer: Buffer = noBody;
  let offset = 0;
  for (let number = 1; ; number++) {
    while (buffer.length < recordHeaderBytes && (await more(0)));
    const bytes = journalRecordLength(buffer.subarray(0, recordHeaderBytes));
    // A damaged length must not make us read beyond the file.
    if (bytes === undefined || bytes > buffer.length + endOffset - offset) return;
    while (buffer.length < bytes && (await more(bytes)));
    const record = decodeJournalRecord(buffer.subarray(0, bytes));
    if (record === "newer") {
      throw new SpoolError(
        `${JSON.stringify(path)} was written by a newer Plimsoll; nothing of it was read or changed: start that version`,
      );
    }
    if (record === undefined) return;
    buffer = buffer.subarray(bytes);
    yield { ...record, number, bytes };
  }

  /** Reads on, at least up to `wanted` bytes where there are so many. */
  async function more(wanted: number): Promise<boolean> {
    const length = Math.min(Math.max(readBytes, wanted - buffer.length), endOffset - offset);
    if (length <= 0) return false;
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(chunk, 0, length, offset);
    offset += bytesRead;
    buffer = Buffer.concat([buffer, chunk.subarray(0, bytesRead)]);
    return bytesRead > 0;
  }
}

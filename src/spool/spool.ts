/**
 * The disk queue between encoding and sending: one FIFO of batches that outlives the process.
 *
 * In:  each encoded batch, written before it is sent. Out: the oldest batch that is not acknowledged, its
 * bytes unchanged. At least once: a crash between the receiver's answer and the acknowledgement sends that
 * batch again, which receivers accept (same series, timestamp and value).
 *
 * The folder holds `<first sequence>.segment` files (segment.ts; records in record.ts) and `position.json` with
 * the last acknowledged sequence number. Whoever opens a spool sees to it that nobody else does (run-spool.ts).
 * A crash of the process loses nothing that was appended; docs/spool.md says what a power failure may lose.
 */
import { mkdirSync, rmdirSync } from "node:fs";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import { messageOf, systemErrorCode } from "../errors.ts";
import { BackgroundSync } from "./background-sync.ts";
import { PositionFile } from "./position.ts";
import { encodeRecord, recordHeaderBytes } from "./record.ts";
import { type PendingCounts, type QueueScan, scanQueue } from "./scan.ts";
import { type LocatedBatch, Segment } from "./segment.ts";
import type { SpooledBatch } from "./spooled-batch.ts";

export interface SpoolOptions {
  /**
   * How much may be pending, record headers included. Default 1 GiB. The folder may hold up to one
   * segment more, because space is given back by the segment.
   */
  readonly limitBytes?: number;
  /** A new segment is begun when the last one would grow beyond this. Default 8 MiB. */
  readonly segmentBytes?: number;
  /** Whether the folder is still its opener's. Once it is not, nothing in it is changed. Default: always. */
  readonly isHeld?: () => boolean;
  /** Something that the user should know; called once per matter. */
  readonly onNotice?: (text: string) => void;
}

/** About a day at 10 000 points per second and one byte each. */
const defaultLimitBytes = 1024 ** 3;
const defaultSegmentBytes = 8 * 1024 ** 2;

/** What was found when the spool was opened. All zero for a fresh folder. */
export interface SpoolRecovery {
  /** Left by an earlier process, to be sent first. */
  readonly batches: number;
  /** Cut off the end: a record that was never written whole. */
  readonly truncatedBytes: number;
  /** Batches that were written and cannot be read: damaged, or in a segment that is gone. */
  readonly corruptRecords: number;
}

export type AppendOutcome =
  | { readonly kind: "appended"; readonly sequence: number }
  /** The batch is not stored and is the caller's to count. Later batches may fit again. */
  | {
      readonly kind: "refused";
      /** `spool_full`: the limit or the disk. `spool_failed`: another error of the disk, or the folder is another's. */
      readonly reason: "spool_full" | "spool_failed";
      readonly text: string;
    };

/** What `write` reports when there is no room: on the disk, in the user's quota, in one file. */
const noRoomCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export class Spool implements AsyncDisposable {
  readonly #directory: string;
  readonly #limitBytes: number;
  readonly #segmentBytes: number;
  readonly #isHeld: () => boolean;
  readonly #onNotice: ((text: string) => void) | undefined;
  readonly #position: PositionFile;
  readonly #sync = new BackgroundSync();
  /** Oldest first. Batches are read from the first and appended to the last. */
  readonly #segments: Segment[];
  /** Read to their ends and still there: the folder may have become one that we cannot write. */
  #leftSegments: Segment[] = [];
  #hasToldOfLeft = false;
  /** In the first segment: where the oldest batch that is not acknowledged is looked for. */
  #readOffset = 0;
  #acknowledged: number;
  #nextSequence: number;
  #pending: PendingCounts;
  /** What `peek` has found, until it is acknowledged. */
  #head: LocatedBatch | undefined;
  readonly #recovered: SpoolRecovery;
  #closed = false;

  /**
   * Creates the folder (mode 0700) where it does not exist, and reads what an earlier process left. What an
   * interrupted append left at the end is cut off. Damage is stepped over and counted in `recovered`, never a
   * reason to refuse.
   *
   * @throws SpoolError where a later Plimsoll has written; what the file system throws.
   */
  static async open(directory: string, options: SpoolOptions = {}): Promise<Spool> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new Spool(directory, await scanQueue(directory, "write"), options);
  }

  private constructor(directory: string, scan: QueueScan, options: SpoolOptions) {
    this.#directory = directory;
    this.#limitBytes = options.limitBytes ?? defaultLimitBytes;
    this.#segmentBytes = options.segmentBytes ?? defaultSegmentBytes;
    this.#isHeld = options.isHeld ?? (() => true);
    this.#onNotice = options.onNotice;
    this.#segments = [...scan.segments];
    this.#acknowledged = scan.acknowledged;
    this.#nextSequence = scan.nextSequence;
    this.#pending = scan.pending;
    const last = this.#segments.at(-1);
    const truncatedBytes = (last?.sizeBytes ?? 0) - scan.endOffset;
    if (truncatedBytes > 0) last?.truncate(scan.endOffset);
    last?.release();
    this.#recovered = {
      batches: scan.pending.batches,
      truncatedBytes,
      corruptRecords: scan.corruptRecords,
    };
    this.#position = new PositionFile(directory);
    this.#position.save(this.#acknowledged, { durable: false });
  }

  get pending(): PendingCounts {
    return this.#pending;
  }

  /** What `open` found. */
  get recovered(): SpoolRecovery {
    return this.#recovered;
  }

  /** Writes the batch behind all others. Does not throw for a disk that is full or failing. */
  append(batch: EncodedBatch): AppendOutcome {
    this.#assertOpen();
    const recordBytes = recordHeaderBytes + batch.body.byteLength;
    if (this.#pending.bytes + recordBytes > this.#limitBytes) {
      return {
        kind: "refused",
        reason: "spool_full",
        text: `the spool's limit of ${this.#limitBytes} bytes is reached`,
      };
    }
    if (!this.#isHeld()) {
      return { kind: "refused", reason: "spool_failed", text: "another process has the spool" };
    }
    const sequence = this.#nextSequence;
    try {
      const segment = this.#segmentFor(recordBytes);
      segment.append(encodeRecord(batch, sequence));
      this.#sync.changed(segment.path);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error; // Not from the operating system: a bug.
      return {
        kind: "refused",
        reason: noRoomCodes.has(code) ? "spool_full" : "spool_failed",
        text: messageOf(error),
      };
    }
    this.#nextSequence += 1;
    this.#count(batch, 1);
    return { kind: "appended", sequence };
  }

  /** The oldest batch that is not acknowledged; the same one until it is. None where another process has them. */
  peek(): SpooledBatch | undefined {
    this.#assertOpen();
    if (!this.#isHeld()) return undefined;
    this.#head ??= this.#readHead();
    return this.#head?.batch;
  }

  /**
   * Takes the batch that `peek` gave out of the spool: it has its final answer.
   *
   * @throws Error (a bug) for any other batch.
   */
  acknowledge(sequence: number): void {
    this.#assertOpen();
    if (this.#head?.batch.sequence !== sequence) {
      throw new Error(
        `batch ${sequence} is acknowledged, but ${this.#head?.batch.sequence ?? "none"} is first`,
      );
    }
    const { batch, endOffset } = this.#head;
    this.#acknowledged = sequence;
    this.#readOffset = endOffset;
    this.#head = undefined;
    this.#count(batch, -1);
    if (this.#pending.batches === 0) this.#sync.settled();
    if (this.#isHeld()) this.#position.save(sequence, { durable: false });
  }

  /** Forgets everything that is pending; another process that has the folder keeps it. Returns what that was. */
  discard(): PendingCounts {
    this.#assertOpen();
    const discarded = this.#pending;
    this.#acknowledged = this.#nextSequence - 1;
    this.#pending = { batches: 0, samples: 0, histograms: 0, bytes: 0 };
    this.#head = undefined;
    if (this.#isHeld()) this.#position.save(this.#acknowledged, { durable: true });
    return discarded;
  }

  /** Gives the folder up: removed if nothing is pending, else ready for the next `open`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#sync.close();
    const isHeld = this.#isHeld();
    try {
      if (!isHeld) return;
      if (this.#pending.batches === 0) {
        // The position says of a segment that stays that it is not to be sent again.
        if (this.#remove(...this.#segments)) this.#position.remove();
        else this.#position.save(this.#acknowledged, { durable: true });
      } else {
        this.#segments.at(-1)?.sync();
        this.#position.save(this.#acknowledged, { durable: true });
      }
    } finally {
      for (const segment of this.#segments) segment.release();
      this.#position.close();
    }
    if (this.#pending.batches === 0) removeIfEmpty(this.#directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #readHead(): LocatedBatch | undefined {
    for (;;) {
      const found = this.#segments[0]?.next(this.#readOffset, this.#acknowledged + 1);
      // The last segment stays when it is read: it takes the next batch.
      if (found !== undefined || this.#segments.length <= 1) return found;
      this.#position.save(this.#acknowledged, { durable: true });
      const [read] = this.#segments.splice(0, 1);
      if (read) this.#remove(read);
      this.#readOffset = 0;
    }
  }

  /** Removes these, and those that could not be removed before. Does not throw where the folder cannot be written. */
  #remove(...segments: readonly Segment[]): boolean {
    this.#leftSegments = [...this.#leftSegments, ...segments].filter((segment) => {
      try {
        segment.remove();
        return false;
      } catch (error) {
        if (systemErrorCode(error) === undefined) throw error;
        this.#tellOfLeft(segment, messageOf(error));
        return true;
      }
    });
    return this.#leftSegments.length === 0;
  }

  #tellOfLeft({ path }: Segment, why: string): void {
    if (this.#hasToldOfLeft) return;
    this.#hasToldOfLeft = true;
    this.#onNotice?.(
      `spool segment ${JSON.stringify(path)} cannot be removed: ${why}; it takes room, and nothing of it is sent again`,
    );
  }

  /** The last segment, or a new one where the record would make the last one too long. */
  #segmentFor(recordBytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined) {
      if (last.sizeBytes === 0 || last.sizeBytes + recordBytes <= this.#segmentBytes) return last;
      last.release();
    }
    const segment = new Segment(this.#directory, this.#nextSequence, "write");
    this.#segments.push(segment);
    return segment;
  }

  #count({ samples, histograms, body }: EncodedBatch, sign: 1 | -1): void {
    const { pending } = this;
    this.#pending = {
      batches: pending.batches + sign,
      samples: pending.samples + sign * samples,
      histograms: pending.histograms + sign * histograms,
      bytes: pending.bytes + sign * (recordHeaderBytes + body.byteLength),
    };
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`spool ${JSON.stringify(this.#directory)} is closed`);
  }
}

/** A folder that holds something else stays. */
export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    // Nor does one matter that cannot be removed.
    if (systemErrorCode(error) === undefined) throw error;
  }
}

/**
 * The spool of one run and one receiver: a folder with one or several queues, which belongs to one process.
 *
 * In:  the folder, how many queues are wanted. Out: a `Spool` per queue, in which series keep their order.
 *
 *   <folder>/lock, spool.json                              who has it; whose it is (manifest.ts)
 *   <folder>/<sequence>.segment, position.json             one queue, or
 *   <folder>/queue-1-of-4/<sequence>.segment, position.json, queue-2-of-4/…
 *
 * The folder goes when all is acknowledged. It holds no credentials.
 */
import { mkdirSync } from "node:fs";
import { messageOf, PlimsollError, SpoolError, systemErrorCode } from "../errors.ts";
import { awaitDirectory, type DirectoryLock } from "./directory-lock.ts";
import { readManifest, removeManifest, type SpoolManifest, writeManifest } from "./manifest.ts";
import { expectNoQueue, queueFolders, queuesIn } from "./queue-folders.ts";
import type { PendingCounts } from "./scan.ts";
import { removeIfEmpty, Spool, type SpoolOptions, type SpoolRecovery } from "./spool.ts";

export interface RunSpoolOptions extends SpoolOptions {
  /**
   * How many queues are wanted. Default: as many as were used before, or 1. While requests of an earlier process
   * wait, their number stays: with another, a series would change its queue and newer points overtake older.
   */
  readonly queues?: number;
  /** Written where the folder has none. */
  readonly manifest?: SpoolManifest;
}

export class RunSpool implements AsyncDisposable {
  readonly directory: string;
  /** At least one. A series belongs to one of them for as long as the folder exists. */
  readonly queues: readonly Spool[];
  /** What was found, in all queues. */
  readonly recovered: SpoolRecovery;
  readonly #lock: DirectoryLock;
  #closed: Promise<void> | undefined;

  /**
   * Creates the folder (mode 0700) where it does not exist, and takes it for this process. Waits, 15 s at most, where one
   * of another container or machine has not given it up.
   *
   * @throws SpoolError when another process has it, it is one queue of a spool, a later Plimsoll has written it, or it cannot be used.
   */
  static async open(directory: string, options: RunSpoolOptions = {}): Promise<RunSpool> {
    let lock: DirectoryLock | undefined;
    const opened: Spool[] = [];
    try {
      expectNoQueue(directory);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const taken = await awaitDirectory(directory, options.onNotice ?? (() => undefined));
      lock = taken;
      const queueOptions = { ...options, isHeld: () => taken.isHeld() };
      const manifest = readManifest(directory);
      const used = queuesIn(directory) ?? options.queues ?? 1;
      const wanted = options.queues ?? used;
      await openQueues(directory, used, queueOptions, opened);
      if (used !== wanted && opened.every(({ pending }) => pending.batches === 0)) {
        for (const queue of opened.splice(0)) await queue.close();
        await openQueues(directory, wanted, queueOptions, opened);
      }
      if (manifest === undefined && options.manifest !== undefined) {
        writeManifest(directory, options.manifest);
      }
      return new RunSpool(directory, opened, taken);
    } catch (error) {
      for (const queue of opened) await queue.close();
      lock?.release();
      if (error instanceof PlimsollError || systemErrorCode(error) === undefined) throw error;
      throw new SpoolError(
        `spool folder ${JSON.stringify(directory)} cannot be used: ${messageOf(error)}; ` +
          "expected a folder that this user can read and write",
        { cause: error },
      );
    }
  }

  private constructor(directory: string, queues: readonly Spool[], lock: DirectoryLock) {
    this.directory = directory;
    this.queues = queues;
    this.#lock = lock;
    const recovered = queues.map((queue) => queue.recovered);
    this.recovered = {
      batches: sum(recovered, ({ batches }) => batches),
      truncatedBytes: sum(recovered, ({ truncatedBytes }) => truncatedBytes),
      corruptRecords: sum(recovered, ({ corruptRecords }) => corruptRecords),
    };
  }

  /** In all queues. */
  get pending(): PendingCounts {
    return sumPending(this.queues.map(({ pending }) => pending));
  }

  /** Forgets everything that is pending. Returns what that was. */
  discard(): PendingCounts {
    return sumPending(this.queues.map((queue) => queue.discard()));
  }

  /** Gives the folder up: removed if nothing is pending, else ready for the next `open`. A second call waits. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const isOver = this.pending.batches === 0 && this.#lock.isHeld();
    try {
      for (const queue of this.queues) await queue.close();
      if (isOver) removeManifest(this.directory);
    } finally {
      this.#lock.release();
    }
    if (isOver) removeIfEmpty(this.directory);
  }
}

/** The limit is for the folder: each queue has an equal share. */
async function openQueues(
  directory: string,
  queues: number,
  { limitBytes, ...options }: RunSpoolOptions,
  opened: Spool[],
): Promise<void> {
  const share = limitBytes === undefined ? {} : { limitBytes: Math.floor(limitBytes / queues) };
  for (const folder of queueFolders(directory, queues)) {
    opened.push(await Spool.open(folder, { ...options, ...share }));
  }
}

export function sumPending(counts: readonly PendingCounts[]): PendingCounts {
  return {
    batches: sum(counts, ({ batches }) => batches),
    samples: sum(counts, ({ samples }) => samples),
    histograms: sum(counts, ({ histograms }) => histograms),
    bytes: sum(counts, ({ bytes }) => bytes),
  };
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}

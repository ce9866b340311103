/**
 * Brings what has been appended to the disk itself, once a second and beside all else, while it waits there.
 *
 * In:  which files were appended to, and when nothing waits any more. A request that the receiver has within a
 * second costs no `fsync`; in an outage there is one a second. So a power failure takes the last second at most.
 */
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorCode } from "../errors.ts";

const defaultIntervalMs = 1_000;

export class BackgroundSync {
  readonly #intervalMs: number;
  readonly #sync: (path: string) => Promise<void>;
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> = Promise.resolve();

  /** @param sync Returns when the file is on the disk itself. */
  constructor(
    intervalMs: number = defaultIntervalMs,
    sync: (path: string) => Promise<void> = syncFile,
  ) {
    this.#intervalMs = intervalMs;
    this.#sync = sync;
  }

  changed(path: string): void {
    this.#changed.add(path);
    this.#timer ??= setTimeout(() => this.#start(), this.#intervalMs).unref();
  }

  /** Nothing waits: there is nothing that could be lost. */
  settled(): void {
    this.#changed.clear();
  }

  /** Stops, when what is under way is done. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#changed.clear();
    await this.#underWay;
  }

  #start(): void {
    const paths = [...this.#changed];
    this.#changed.clear();
    this.#underWay = this.#syncAll(paths).finally(() => {
      this.#timer = undefined;
      const [path] = this.#changed;
      if (path !== undefined) this.changed(path);
    });
  }

  async #syncAll(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.#sync(path);
  }
}

/**
 * By a descriptor of its own, because the spool's may be closed at any time. Does not throw for a file that is
 * gone, nor for a failing disk, which the next append reports.
 */
async function syncFile(path: string): Promise<void> {
  for (const target of [path, dirname(path)]) {
    try {
      const file = await open(target);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }
}

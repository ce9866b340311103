/**
 * The archives of scripts, a file per run. Whoever hands one over has taken the secrets out of it and limits its size.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type NamedRun, runFileName } from "../run-files.ts";

export class RunArchives {
  readonly #directory: string;
  #last = 0;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Of uploads that the end of a process has cut off.
    for (const name of readdirSync(directory)) {
      if (name.endsWith(".part")) rmSync(join(directory, name));
    }
  }

  /**
   * Resolves to its size in bytes. It is there as a whole or not at all; another one of the same run is replaced.
   *
   * @throws what reading it throws
   */
  async save(run: NamedRun, tar: AsyncIterable<Uint8Array>): Promise<number> {
    const path = join(this.#directory, `${runFileName(run)}.tar`);
    const partPath = `${path}.${++this.#last}.part`;
    // Opened here: a stream that opens its file itself may do so after the reading has failed, and the file was removed.
    const file = (await open(partPath, "wx", 0o600)).createWriteStream({ flush: true });
    try {
      await pipeline(tar, file);
      await rename(partPath, path);
    } catch (error) {
      await rm(partPath, { force: true });
      throw error;
    }
    return file.bytesWritten;
  }
}

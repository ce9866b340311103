/**
 * A named pipe between k6 and us: k6 writes its JSON lines into it as into a file, and nothing grows on disk.
 *
 * Opening a FIFO waits for the other side, and it ends when its last writer leaves. A k6 that fails before it
 * opens its outputs would leave us waiting for ever, so we hold a write end ourselves until k6 has written
 * something, or until `release` says that it will not.
 *
 * Source: fifo(7); k6 `internal/output/json/json.go` (it opens the FIFO for reading and writing).
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { promisify } from "node:util";
import { GeneratorError } from "../errors.ts";
import { readPipe } from "./read-pipe.ts";

export interface Fifo {
  /** What is written into it, until its last writer has left. A chunk is valid until the next is asked for. */
  readonly chunks: AsyncIterable<Buffer>;
  /** No (further) writer will come: the chunks end when the pipe is empty. May be called more than once. */
  release(): void;
}

/**
 * Makes a FIFO and opens it for reading.
 *
 * @throws GeneratorError where the system has none (Windows)
 */
export async function openFifo(path: string): Promise<Fifo> {
  try {
    await promisify(execFile)("mkfifo", ["-m", "600", path]);
  } catch (cause) {
    throw new GeneratorError(
      `cannot make a named pipe for k6 at ${JSON.stringify(path)} (mkfifo); ` +
        "run k6 with --out json=FILE and send the file with plimsoll ingest",
      { cause },
    );
  }
  // Without O_NONBLOCK each open would wait for the other.
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  let isHeld = true;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    closeSync(writeEnd);
  };
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of readPipe(readEnd)) {
      // Something was written, so k6 has the pipe open itself.
      release();
      yield chunk;
    }
  };
  return { chunks: chunks(), release };
}

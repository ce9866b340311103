/**
 * Opens what holds JSON lines: a plain file, gzip, a FIFO, standard input, a file that is still growing.
 *
 * Out: chunks of bytes, decompressed. Gzip is recognised by its first two bytes, whatever the name. A gzip
 * stream that is cut short gives what it holds; the cut line is the reader's to report.
 */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { constants, createGunzip } from "node:zlib";
import { InputError } from "../errors.ts";

const chunkBytes = 1 << 18;
/** How often a growing file is looked at. k6 writes every 200 ms. */
const followIntervalMs = 100;

export interface OpenInputOptions {
  /** Read on when the file ends, until the signal aborts: for a file that k6 is still writing. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
  /** What `-` stands for. */
  readonly stdin: Readable;
}

/**
 * The chunks of `path`; `-` is standard input. An aborted signal ends them without an error.
 *
 * @throws InputError (while iterating) if there is no such file, it is a directory, or it cannot be read
 */
export async function* openInput(path: string, options: OpenInputOptions): AsyncGenerator<Buffer> {
  const { follow = false, signal, stdin } = options;
  try {
    if (path === "-") {
      yield* gunzipped(stdin, signal);
      return;
    }
    if ((await stat(path)).isDirectory()) {
      throw new InputError(
        `${JSON.stringify(path)} is a directory, expected a file of k6's JSON lines`,
      );
    }
    if (follow) yield* followed(path, signal);
    else yield* gunzipped(createReadStream(path, { highWaterMark: chunkBytes }), signal);
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof InputError) throw error;
    throw new InputError(`${JSON.stringify(path)} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function* gunzipped(source: Readable, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const abort = (): void => {
    source.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    // A Readable of bytes without an encoding gives buffers.
    const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let { value: first, done } = await chunks.next();
    // Standard input may come a byte at a time.
    while (!done && first && first.length < 2) {
      const next = await chunks.next();
      if (next.done) break;
      first = Buffer.concat([first, next.value]);
    }
    if (done || !first) return;
    const rest = (async function* () {
      yield first;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    })();
    const isGzip = first[0] === 0x1f && first[1] === 0x8b;
    if (!isGzip) {
      yield* rest;
      return;
    }
    // With a sync flush at the end, a stream that is cut short is no error.
    const gunzip = createGunzip({ chunkSize: chunkBytes, finishFlush: constants.Z_SYNC_FLUSH });
    yield* Readable.from(rest, { objectMode: false }).pipe(gunzip) as AsyncIterable<Buffer>;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function* followed(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  await using file = await open(path, "r");
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let position = 0;
  while (!signal?.aborted) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead > 0) {
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
      continue;
    }
    if ((await file.stat()).size < position) {
      throw new InputError(
        `${JSON.stringify(path)} became shorter while it was read: it was truncated or written anew`,
      );
    }
    await delay(followIntervalMs, undefined, signal ? { signal } : {});
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied";
  return message;
}

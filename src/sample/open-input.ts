/**
 * Opens what holds JSON lines: a plain file, gzip, a FIFO, standard input, a file that is still growing.
 *
 * Out: chunks of bytes, decompressed, each valid until the next is asked for. Gzip is recognised by its first two
 * bytes, whatever the name. A gzip stream that is cut short gives what it holds; the cut line is the reader's to report.
 */
import { close, fstat, open, read } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, createGunzip } from "node:zlib";
import { InputError } from "../errors.ts";
import { readPipe } from "./read-pipe.ts";

const openFile = promisify(open);
const statOf = promisify(fstat);
const readInto = promisify(read);
const closeFile = promisify(close);

const chunkBytes = 1 << 18;
/** How often a growing file is looked at. k6 writes every 200 ms. */
const followIntervalMs = 100;

export interface OpenInputOptions {
  /** Read on when the file ends, until the signal aborts: for a file that k6 is still writing. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
  /** What `-` stands for; a pipe, a socket or a file is read by its descriptor. */
  readonly stdin: Readable & { readonly fd?: number };
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
      yield* gunzipped(await standardInput(stdin, signal));
      return;
    }
    const fd = await openFile(path, "r");
    const stats = await statOf(fd);
    if (stats.isFIFO() && !follow) {
      yield* gunzipped(readPipe(fd, signal));
      return;
    }
    try {
      if (stats.isDirectory()) {
        throw new InputError(
          `${JSON.stringify(path)} is a directory, expected a file of k6's JSON lines`,
        );
      }
      const chunks = readFile(fd, { path, follow, signal });
      yield* follow ? chunks : gunzipped(chunks);
    } finally {
      await closeFile(fd);
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof InputError) throw error;
    throw new InputError(`${JSON.stringify(path)} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function standardInput(
  stdin: OpenInputOptions["stdin"],
  signal?: AbortSignal,
): Promise<AsyncGenerator<Buffer>> {
  const { fd } = stdin;
  const stats = fd === undefined ? undefined : await statOf(fd);
  if (fd !== undefined && (stats?.isFIFO() || stats?.isSocket())) return readPipe(fd, signal);
  if (fd !== undefined && stats?.isFile()) return readFile(fd, { path: "-", signal });
  return readStream(stdin, signal);
}

/** A terminal, for one: a read of its descriptor could not be given up. */
async function* readStream(source: Readable, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const abort = (): void => {
    source.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    // A Readable of bytes without an encoding gives buffers.
    yield* source as AsyncIterable<Buffer>;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function* gunzipped(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    let { value: first, done } = await chunks.next();
    // Standard input may come a byte at a time.
    while (!done && first && first.length < 2) {
      const begun = Buffer.from(first);
      const next = await chunks.next();
      first = begun;
      if (next.done) break;
      first = Buffer.concat([begun, next.value]);
    }
    if (done || !first) return;
    const isGzip = first[0] === 0x1f && first[1] === 0x8b;
    if (!isGzip) {
      yield first;
      yield* chunks;
      return;
    }
    const copies = (async function* () {
      yield Buffer.from(first);
      for await (const chunk of chunks) yield Buffer.from(chunk);
    })();
    // With a sync flush at the end, a stream that is cut short is no error.
    const gunzip = createGunzip({ chunkSize: chunkBytes, finishFlush: constants.Z_SYNC_FLUSH });
    yield* Readable.from(copies, { objectMode: false }).pipe(gunzip) as AsyncIterable<Buffer>;
  } finally {
    await chunks.return(undefined);
  }
}

interface ReadFileOptions {
  /** For messages. */
  readonly path: string;
  readonly follow?: boolean;
  readonly signal?: AbortSignal | undefined;
}

async function* readFile(
  fd: number,
  { path, follow = false, signal }: ReadFileOptions,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  let total = 0;
  while (!signal?.aborted) {
    const { bytesRead } = await readInto(fd, buffer, 0, buffer.length, null);
    if (bytesRead > 0) {
      total += bytesRead;
      yield buffer.subarray(0, bytesRead);
      continue;
    }
    if (!follow) return;
    if ((await statOf(fd)).size < total) {
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

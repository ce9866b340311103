/**
 * Reads the archive of a script and writes it again without secrets, as it streams by. Nothing of it touches the file
 * system here, and what could do so later is refused.
 *
 * In:  an uncompressed tar, `metadata.json` first:
 *
 *          metadata.json   options, env, k6's version     env's values and the options' secrets are taken out
 *          data            the main script
 *          file/PATH       what it imports and opens      the main script is a hard link to `data`
 *          https/PATH      remote modules
 *
 * Out: the options, as they are; the tar, in which tokens elsewhere than in metadata.json are as long as before.
 *
 * Source: k6 `lib/archive.go`.
 */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { type Extract, extract, type Header, pack, type Pack } from "tar-stream";
import { InputError, messageOf } from "../../errors.ts";
import { limits } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { asObject, ownTokens, redactOptions, redactValues, tokensOf } from "./redact-options.ts";

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;
type Sink = ReturnType<Pack["entry"]>;

/** To be disposed of, whether or not it was read. */
export interface Archive extends Disposable {
  /** Of the script, not redacted. */
  readonly options: unknown;
  /** To be read once. @throws InputError, ApiError */
  readonly redacted: AsyncIterable<Uint8Array>;
}

/** Options, and what was given with `-e`. */
const maxMetadataBytes = 4 << 20;
/** No token is longer: so much is held back, lest one is cut in two. */
const maxTokenLength = 1_024;

/**
 * Resolves when the options are known, with the rest still to come.
 *
 * @throws InputError for what is no archive of k6, ApiError for what is too large
 */
export async function readArchive(tar: AsyncIterable<Uint8Array>): Promise<Archive> {
  const entries = extract();
  const out = pack();
  const over = new AbortController();
  let problem: Error | undefined;
  const fail = (error: unknown): void => {
    problem ??= toInputError(error);
    out.destroy();
  };
  // Read to its end, failed, or nobody wants it any more.
  out.on("close", () => {
    over.abort();
    entries.destroy();
  });
  writeAll(limited(tar), entries, over.signal).catch((error: unknown) =>
    entries.destroy(toInputError(error)),
  );
  const iterator = entries[Symbol.asyncIterator]();
  try {
    const { value: first } = await iterator.next();
    const { metadata, kept } = await readMetadata(first);
    out.entry({ name: "metadata.json" }, kept);
    const rest = { [Symbol.asyncIterator]: () => iterator };
    copy(rest, out, tokensOf(metadata["options"]), over.signal).then(() => out.finalize(), fail);
    return {
      options: metadata["options"],
      redacted: rethrow(out, () => problem),
      [Symbol.dispose]: () => out.destroy(),
    };
  } catch (error) {
    fail(error);
    throw problem ?? error;
  }
}

/** A stream that was destroyed before anybody read it does not say why. */
async function* rethrow(out: Pack, problem: () => Error | undefined): AsyncGenerator<Uint8Array> {
  try {
    // What comes out of it are buffers.
    for await (const chunk of out as AsyncIterable<unknown>) yield chunk as Buffer;
  } catch (error) {
    throw problem() ?? error;
  }
}

/** @returns Parsed; and the text to keep of it. Read once, because it is written first */
async function readMetadata(
  entry: Entry | undefined,
): Promise<{ metadata: { readonly [key: string]: unknown }; kept: string }> {
  if (entry?.header.name !== "metadata.json" || entry.header.type !== "file") {
    throw new InputError("not an archive of k6: a tar that begins with metadata.json");
  }
  if (entry.header.size > maxMetadataBytes) {
    throw new InputError(
      `metadata.json has ${entry.header.size} bytes, more than ${maxMetadataBytes}`,
    );
  }
  const metadata = asObject(JSON.parse(await text(bytesOf(entry))));
  const { env, ...others } = metadata;
  const kept = { ...asObject(redactOptions(others)), env: redactValues(env) };
  return { metadata, kept: JSON.stringify(kept) };
}

/** @throws ApiError 413 */
async function* limited(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of tar) {
    bytes += chunk.length;
    if (bytes > limits.archive) {
      throw new ApiError(413, `the archive has more than ${limits.archive >> 20} MiB`);
    }
    yield chunk;
  }
}

async function copy(
  entries: AsyncIterable<Entry>,
  out: Pack,
  tokens: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for await (const entry of entries) {
    const header = toSafeHeader(entry.header);
    const sink = out.entry(header);
    if (header.type === "file") await writeAll(mask(bytesOf(entry), tokens), sink, signal);
    else entry.resume();
  }
}

/** Not `pipeline`: to it, these are no streams of Node's. */
async function writeAll(
  chunks: AsyncIterable<Uint8Array>,
  sink: Extract | Sink,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of chunks) {
    if (!sink.write(chunk)) await once(sink, "drain", { signal });
  }
  const finished = once(sink, "finish", { signal });
  sink.end(null);
  await finished;
}

/** An entry's chunks are buffers. */
function bytesOf(entry: Entry): AsyncIterable<Buffer> {
  return entry as AsyncIterable<unknown> as AsyncIterable<Buffer>;
}

/** What k6 writes: files and folders below the archive's own, and the link of the main script. */
function toSafeHeader({
  name,
  type,
  size,
  mtime,
  linkname,
}: Header): Partial<Header> & Pick<Header, "name"> {
  const isRelative = !/^(?:[/\\]|[a-z]:)/i.test(name) && !name.includes("\0");
  const isBelow = isRelative && !name.split(/[/\\]/).includes("..");
  const isKnown =
    type === "file" || type === "directory" || (type === "link" && linkname === "data");
  if (!isBelow || !isKnown) {
    throw new InputError(
      `the archive has an entry that k6 does not write: ${type ?? "unknown"} ${JSON.stringify(name)}`,
    );
  }
  return {
    name,
    type,
    ...(type === "file" && { size }),
    mtime,
    ...(type === "link" && { linkname }),
  };
}

/** The same number of bytes, with `*` for tokens. */
async function* mask(
  chunks: AsyncIterable<Buffer>,
  tokens: readonly string[],
): AsyncGenerator<Buffer> {
  const secrets = new RegExp([ownTokens.source, ...tokens.map(escapeRegExp)].join("|"), "g");
  // One byte, one character, whatever the file holds.
  let held = "";
  for await (const chunk of chunks) {
    const window = held + chunk.toString("latin1");
    const masked = window.replace(secrets, (token: string, at: number) =>
      // It may go on in the next chunk.
      at + token.length === window.length && token.length < maxTokenLength ? token : maskOf(token),
    );
    const cut = Math.max(0, masked.length - maxTokenLength);
    yield Buffer.from(masked.slice(0, cut), "latin1");
    held = masked.slice(cut);
  }
  yield Buffer.from(held.replace(secrets, maskOf), "latin1");
}

function maskOf(token: string): string {
  return "*".repeat(token.length);
}

function escapeRegExp(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** An error that says its status, such as that of a body that is too large, stays as it is. */
function toInputError(error: unknown): Error {
  if (error instanceof InputError || (error instanceof Error && "statusCode" in error))
    return error;
  return new InputError(`the archive cannot be read: ${messageOf(error)}`, { cause: error });
}

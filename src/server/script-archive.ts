/**
 * Reads the script out of a run's archive, as it streams by: the list of its files, and the text of one. Nothing is
 * unpacked: a path is a name here, and no place on this machine.
 *
 * In:  the tar that k6 uploaded, without its secrets (`cloud/api/archive.ts` draws it).
 * Out: paths as the script has them: `/home/nobody/script.js`, `https://jslib.k6.io/…`.
 */
import type { Readable } from "node:stream";
import { type Extract, extract, type Header } from "tar-stream";
import type { Json } from "../runs/run-record.ts";
import type { ScriptView } from "./api/script-view.ts";

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;

/** What k6 calls the main script; where it was is a link to it. */
const mainName = "data";

/** Of a file whose text is asked for. */
export const maxFileBytes: number = 1 << 20;

/** What has a NUL so early is no text. Source: git `xdiff-interface.c` (`buffer_is_binary`). */
const sniffedBytes = 8_000;

export interface ScriptFile {
  readonly text: string;
  /** It is longer than `maxFileBytes`. */
  readonly isTruncated: boolean;
}

/** @throws Error for a tar that is damaged */
export async function readScript(tar: Readable): Promise<ScriptView> {
  const files: { path: string; bytes: number }[] = [];
  let metadata: Readonly<Record<string, unknown>> = {};
  let main: { readonly path: string; readonly bytes: number } | undefined;
  let mainPath: string | undefined;
  for await (const { entry, isMetadata } of entriesOf(tar)) {
    const { header } = entry;
    const { name, size } = header;
    if (isMetadata) {
      metadata = objectIn((await beginningOf(entry, size)).toString());
      continue;
    }
    const beginning = await beginningOf(entry, sniffedBytes);
    if (isLinkToMain(header)) mainPath ??= toPath(name);
    else if (header.type !== "file" || beginning.includes(0)) continue;
    else if (name === mainName) main = { path: name, bytes: size };
    else files.push({ path: toPath(name), bytes: size });
  }
  if (main) files.unshift({ ...main, path: mainPath ?? main.path });
  const { options = null, env } = metadata;
  const variables = typeof env === "object" && env !== null ? Object.entries(env) : [];
  return {
    files,
    main: files.length > 0 && main ? (mainPath ?? main.path) : null,
    // Of JSON that was parsed here.
    options: options as Json,
    environment: Object.fromEntries(variables.map(([name, value]) => [name, String(value)])),
  };
}

/**
 * @param path one of `readScript`'s; undefined for any other
 * @throws Error for a tar that is damaged
 */
export async function readScriptFile(tar: Readable, path: string): Promise<ScriptFile | undefined> {
  let main: ScriptFile | undefined;
  for await (const { entry, isMetadata } of entriesOf(tar)) {
    const { header } = entry;
    const isMain = header.name === mainName;
    const isAsked = !isMetadata && toPath(header.name) === path;
    const bytes = await beginningOf(entry, isMain || isAsked ? maxFileBytes : 0);
    if (isAsked && isLinkToMain(header)) return main;
    if (header.type !== "file") continue;
    const isTruncated = header.size > maxFileBytes;
    // A character that is cut is left out.
    const text = new TextDecoder().decode(bytes, { stream: isTruncated });
    if (isMain) main = { text, isTruncated };
    if (isAsked) return { text, isTruncated };
  }
  return undefined;
}

/** `metadata.json` comes first: only of that one the secrets were taken out, and another of its name is any file. */
async function* entriesOf(
  tar: Readable,
): AsyncGenerator<{ readonly entry: Entry; readonly isMetadata: boolean }> {
  const entries = extract();
  tar.on("error", (error) => entries.destroy(error)).pipe(entries);
  try {
    let isMetadata = true;
    for await (const entry of entries) {
      yield { entry, isMetadata };
      isMetadata = false;
    }
  } finally {
    tar.destroy();
    entries.destroy();
  }
}

/** Up to `limit` bytes. It is read to its end: what is not keeps the next one from coming. */
async function beginningOf(entry: Entry, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = limit;
  // An entry's chunks are buffers.
  for await (const chunk of entry as AsyncIterable<unknown> as AsyncIterable<Buffer>) {
    if (left > 0) chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

function isLinkToMain({ type, linkname }: Header): boolean {
  return type === "link" && linkname === mainName;
}

function toPath(name: string): string {
  return name.replace(/^file\//, "/").replace(/^https\//, "https://");
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/**
 * The texts of a script and of all modules of its own, for whoever wants to know what is in them before k6 runs them.
 *
 * Modules are looked for by their imports, as they are written; k6 is not asked, because that takes it as long as its start.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** An import of a file beside the script. */
const ownImport = /\b(?:from|import|require)\s*\(?\s*["'`]((?:\.{0,2}\/|file:\/\/)[^"'`]*)["'`]/g;

/** Undefined where one of them cannot be read, and for standard input. */
export async function scriptSources(script: string): Promise<readonly string[] | undefined> {
  if (script === "-") return undefined;
  const sources = new Map<string, string>();
  const files = [resolve(script)];
  for (let file; (file = files.pop()) !== undefined;) {
    if (sources.has(file)) continue;
    // Of an archive, which is no text, each byte is a character, and what is text in it can be found.
    const source = await readFile(file, "latin1").catch(() => undefined);
    if (source === undefined) return undefined;
    sources.set(file, source);
    for (const [, path = ""] of source.matchAll(ownImport)) {
      if (path.startsWith("file:")) return undefined;
      files.push(resolve(dirname(file), path));
    }
  }
  return [...sources.values()];
}

/**
 * A plugin of Vite's: beside each file of the page its forms for `Content-Encoding`, made once here and not by the server
 * for each request, at the best level, which is too slow for that.
 *
 * It reads what was written: Vite changes chunks until then, and a form of something else would be another page.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** What is smaller fits into a packet or two as it is; what is not of these kinds is compressed already. */
const minBytes = 1_024;
const compressible = /\.(?:js|css|svg)$/;

export function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    async writeBundle({ dir = "." }, bundle) {
      for (const fileName of Object.keys(bundle)) {
        if (!compressible.test(fileName)) continue;
        const path = join(dir, fileName);
        const source = await readFile(path);
        if (source.length < minBytes) continue;
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: source.length };
        await writeFile(`${path}.br`, brotliCompressSync(source, { params }));
        await writeFile(`${path}.gz`, gzipSync(source, { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

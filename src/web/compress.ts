/**
 * A plugin of Vite's: beside each file of the page its forms for `Content-Encoding`, made once here and not by the server
 * for each request, at the best level, which is too slow for that.
 */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** What is smaller fits into a packet or two as it is; what is not of these kinds is compressed already. */
const minBytes = 1_024;
const compressible = /\.(?:js|css|svg)$/;

export function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    generateBundle: {
      // Behind Vite's own, which put the last touch to chunks that load others.
      order: "post",
      handler(_, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          const source = Buffer.from(file.type === "chunk" ? file.code : file.source);
          if (!compressible.test(fileName) || source.length < minBytes) continue;
          const params = { [constants.BROTLI_PARAM_SIZE_HINT]: source.length };
          this.emitFile({
            type: "asset",
            fileName: `${fileName}.br`,
            source: brotliCompressSync(source, { params }),
          });
          this.emitFile({
            type: "asset",
            fileName: `${fileName}.gz`,
            source: gzipSync(source, { level: constants.Z_BEST_COMPRESSION }),
          });
        }
      },
    },
  };
}

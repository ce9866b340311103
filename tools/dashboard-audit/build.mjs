/**
 * Builds the page once: again only when its sources or its dependencies have changed.
 *
 * Out: `dist/` beside this file, with the digest of what it was built from.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** @returns {Promise<string>} The folder of the built page. */
export async function ensurePage() {
  const page = path.join(folder, "page");
  const sources = readdirSync(page).map((name) => path.join(page, name));
  const hash = createHash("sha256");
  for (const file of [...sources, "build.mjs", "package-lock.json"]) {
    hash.update(readFileSync(path.resolve(folder, file)));
  }
  const digest = hash.digest("hex");
  const outDir = path.join(folder, "dist");
  const mark = path.join(outDir, "digest");
  if (existsSync(mark) && readFileSync(mark, "utf8") === digest) return outDir;
  await build({
    root: page,
    logLevel: "error",
    // React's own messages are findings, and only its development build has them in full.
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    build: { outDir, emptyOutDir: true, target: "es2023", minify: false, chunkSizeWarningLimit: 1e6 },
  });
  writeFileSync(mark, digest);
  return outDir;
}

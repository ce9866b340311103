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

/** Parts of @grafana/ui that no dashboard of ours draws: a code editor and maps, three quarters of the build. */
const unused = /^(monaco-editor|react-monaco-editor|@monaco-editor\/react|ol|geotiff)(\/|$)/;

/** @type {import("vite").Plugin} */
const leaveOut = {
  name: "leave-out",
  enforce: "pre",
  resolveId: (id) => (unused.test(id) ? "\0unused" : undefined),
  load: (id) =>
    id === "\0unused" ? { code: "export default {}", syntheticNamedExports: true } : undefined,
};

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
  // From here, and not from `mode`, vite takes which React it builds for; a test sets it to "test".
  process.env["NODE_ENV"] = "production";
  await build({
    root: page,
    logLevel: "error",
    plugins: [leaveOut],
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2023",
      minify: false,
      chunkSizeWarningLimit: 1e6,
    },
  });
  writeFileSync(mark, digest);
  return outDir;
}

/**
 * `npm run screens [-- STATE…]`: photographs the page in Chromium, every page and state of it, light and dark, 1280 and 400
 * pixels wide, of real runs into a real Prometheus; docs/web.md shows them. All of them, or those whose names begin so.
 *
 * The work is in test/bench/screens.bench.ts, which needs the tests' TypeScript. Debian's package `pngquant` has to be there:
 * without it the files are three times as large.
 */
import { ensureBuild, ensureDependencies, ensureNode } from "./setup.mjs";

ensureNode();
await ensureDependencies();
await ensureBuild();
const { runBenchFile } = await import("../test/bench/run-bench-file.mjs");
runBenchFile("screens.bench.ts", { SCREENS: process.argv.slice(2).join(",") });

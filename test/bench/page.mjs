/**
 * The page in Chromium: what its first load weighs, when it shows something, and how smoothly the page of a run with 50
 * endpoints and two hours behind it moves while the run goes on. The work is in page.bench.ts, which needs the tests'
 * TypeScript.
 */
import { runBenchFile } from "./run-bench-file.mjs";

export function bench() {
  runBenchFile("page.bench.ts");
}

/** `npm run bench -- list [RUNS]`: the list of runs over HTTP. The work is in list.bench.ts, which needs the tests' TypeScript. */
import { runBenchFile } from "./run-bench-file.mjs";

/** @param {readonly string[]} args */
export function bench([runs = "10000"]) {
  runBenchFile("list.bench.ts", { LIST_RUNS: runs });
}

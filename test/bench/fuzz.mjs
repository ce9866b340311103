/**
 * `npm run bench -- fuzz [--inputs 1000000] [--seed N]`: broken pushes against what reads k6's cloud protocol. The work is
 * in fuzz.bench.ts, which needs the tests' TypeScript.
 */
import { parseArgs } from "node:util";
import { runBenchFile } from "./run-bench-file.mjs";

/** @param {string[]} args */
export function bench(args) {
  const { values } = parseArgs({
    args,
    options: { inputs: { type: "string" }, seed: { type: "string" } },
  });
  runBenchFile("fuzz.bench.ts", {
    ...(values.inputs !== undefined && { FUZZ_INPUTS: values.inputs }),
    ...(values.seed !== undefined && { FUZZ_SEED: values.seed }),
  });
}

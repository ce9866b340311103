/**
 * `npm run bench -- cloud [--generators 100] [--runs 100] [--minutes 5]`: generators that all push at the same moment to
 * one server on one core. The work is in cloud.bench.ts, which needs the tests' TypeScript.
 */
import { parseArgs } from "node:util";
import { runBenchFile } from "./run-bench-file.mjs";

/** @param {string[]} args */
export function bench(args) {
  const text = /** @type {const} */ ({ type: "string" });
  const { values } = parseArgs({ args, options: { generators: text, runs: text, minutes: text } });
  runBenchFile("cloud.bench.ts", {
    CLOUD_GENERATORS: values.generators ?? "100",
    CLOUD_RUNS: values.runs ?? values.generators ?? "100",
    CLOUD_MINUTES: values.minutes ?? "5",
  });
}

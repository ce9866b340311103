/**
 * `npm run bench -- crashes [--kills 20] [--away 60] [--seed N]`: unmodified k6 with a server that is killed at random moments,
 * and Prometheus away for some seconds. The work is in crashes.bench.ts, which needs the tests' TypeScript.
 */
import { parseArgs } from "node:util";
import { runBenchFile } from "./run-bench-file.mjs";

/** @param {string[]} args */
export function bench(args) {
  const text = /** @type {const} */ ({ type: "string" });
  const { values } = parseArgs({ args, options: { kills: text, away: text, seed: text } });
  runBenchFile("crashes.bench.ts", {
    CRASH_KILLS: values.kills ?? "20",
    CRASH_AWAY_SECONDS: values.away ?? "60",
    ...(values.seed !== undefined && { CRASH_SEED: values.seed }),
  });
}

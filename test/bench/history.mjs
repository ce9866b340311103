/**
 * The dashboard History over a thousand runs of two years on Prometheus 3: how long each query takes, and what a run
 * takes on disk. The work is in history.bench.ts, which needs the tests' TypeScript.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export function bench() {
  const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
  const args = [vitest, "run", "--config", "test/bench/vitest.config.mjs"];
  execFileSync(process.execPath, args, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: "inherit",
  });
}

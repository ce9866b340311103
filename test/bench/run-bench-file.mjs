/** Runs a benchmark that needs the tests' TypeScript, with vitest. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * @param {string} file In this folder.
 * @param {Readonly<Record<string, string>>} [env] Beside this process's own.
 */
export function runBenchFile(file, env = {}) {
  const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
  const args = [vitest, "run", "--config", "test/bench/vitest.config.mjs", `test/bench/${file}`];
  execFileSync(process.execPath, args, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
}

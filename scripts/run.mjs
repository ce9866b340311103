/**
 * Runs programs for the other scripts.
 *
 * These scripts run on a fresh clone, before `npm ci`: they import nothing but Node's own modules and each other.
 * What a program prints goes to stderr, so that a script's stdout holds its result and nothing else.
 */
import { spawn, spawnSync } from "node:child_process";

/** Something on this machine that whoever runs the script can mend; its message says all. */
export class ScriptError extends Error {}

/**
 * Ends a script that failed: with its message where that says all, else with the stack of a bug.
 *
 * @param {unknown} error
 * @returns {void}
 */
export function fail(error) {
  console.error(error instanceof ScriptError ? error.message : error);
  process.exitCode = 1;
}

/**
 * Resolves when the program has ended with exit code 0.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string | URL, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<void>}
 * @throws {ScriptError} when it ends in any other way
 * @throws {Error} when it cannot be started
 */
export async function run(program, args, options = {}) {
  const code = await exitCode(program, args, { ...options, stdio: ["ignore", 2, 2] });
  if (code !== 0) {
    const command = [program, ...args].join(" ");
    throw new ScriptError(`${JSON.stringify(command)} ended with ${code}; its output is above`);
  }
}

/**
 * The exit code of a program, or the name of the signal that ended it.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number | NodeJS.Signals>}
 * @throws {Error} when it cannot be started
 */
export function exitCode(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], options);
    child.once("error", reject);
    // Node gives exactly one of the two.
    child.once("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
}

/**
 * What `PROGRAM --version` prints, on stdout or stderr; undefined where it does not run.
 *
 * @param {string} program
 * @returns {string | undefined}
 */
export function versionText(program) {
  const { status, stdout, stderr } = spawnSync(program, ["--version"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  return status === 0 ? stdout + stderr : undefined;
}

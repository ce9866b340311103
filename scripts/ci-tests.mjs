/**
 * Runs an npm script of tests for `.ci/run`, and writes down what became of them.
 *
 *   node scripts/ci-tests.mjs RESULT-FILE SCRIPT      the script passes its further arguments to vitest
 *
 * Where few files fail, each of them runs once more, without the others. What passes then is not steady: it does not
 * stop CI, but it is named with what it said, for it is a defect of the test or of what it tests.
 *
 * Out: RESULT-FILE, with the number of tests that passed in its first line, then a line for each failure, and one that
 * begins with "unsteady: " for each that was none the second time.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { exitCode } from "./run.mjs";

/** @typedef {import("./ci-reporter.mjs").FileResult} FileResult */

/** More files than this fail for a reason that they share. */
const mostUnsteadyFiles = 3;

const reporter = fileURLToPath(new URL("ci-reporter.mjs", import.meta.url));
const [resultFile = "", script = ""] = process.argv.slice(2);

/**
 * @param {readonly string[]} files All, where there is none.
 * @returns {Promise<FileResult[]>}
 */
async function runTests(files) {
  const path = `${resultFile}.json`;
  rmSync(path, { force: true });
  const args = ["run", script, "--", "--reporter=default", `--reporter=${reporter}`, ...files];
  const code = await exitCode("npm", args, {
    env: { ...process.env, CI_RESULTS: path },
    stdio: "inherit",
  });
  /** @type {FileResult[]} */
  let results;
  try {
    results = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return [{ file: "", passed: 0, failures: [`vitest wrote no result (${String(error)})`] }];
  }
  if (results.some(hasFailed)) return results;
  if (code !== 0) results.push({ file: "", passed: 0, failures: [`the tests ended with ${code}`] });
  else if (count(results) === 0) results.push({ file: "", passed: 0, failures: ["no test ran"] });
  return results;
}

/** @param {FileResult} result */
function hasFailed({ failures }) {
  return failures.length > 0;
}

/** @param {readonly FileResult[]} results */
function count(results) {
  return results.reduce((sum, { passed }) => sum + passed, 0);
}

const first = await runTests([]);
const failed = first.filter(hasFailed);
const isWorthAnother =
  failed.length > 0 &&
  failed.length <= mostUnsteadyFiles &&
  failed.every(({ file }) => file !== "");
const second = isWorthAnother ? await runTests(failed.map(({ file }) => file)) : failed;
const passesNow = new Set(second.filter((result) => !hasFailed(result)).map(({ file }) => file));
const lines = [
  count([...first.filter((result) => !hasFailed(result)), ...second]),
  ...second.flatMap(({ failures }) => failures),
  ...failed
    .filter(({ file }) => passesNow.has(file))
    .flatMap(({ failures }) => failures.map((failure) => `unsteady: ${failure}`)),
];
writeFileSync(resultFile, `${lines.join("\n")}\n`);

/**
 * Sums up what `results-reporter.mjs` wrote, for `.ci/run`.
 *
 *   node scripts/test-results.mjs FILE EXIT-CODE
 *
 * Out: a line with the number of tests that passed, then a line for each failure with the start of its message. A run
 * without a test and a run that failed for any other reason are failures too.
 */
import { readFileSync } from "node:fs";

const [file = "", exitCode] = process.argv.slice(2);

/** @returns {{ passed: number, failures: string[] }} */
function readResults() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return { passed: 0, failures: [`vitest wrote no result (${String(error)})`] };
  }
}

const { passed, failures } = readResults();
if (failures.length === 0 && passed === 0) failures.push("no test ran");
if (failures.length === 0 && exitCode !== "0") failures.push(`vitest ended with ${exitCode}`);
console.log([passed, ...failures].join("\n"));

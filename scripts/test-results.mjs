/**
 * Sums up what vitest's JSON reporter wrote, for `.ci/run`.
 *
 *   node scripts/test-results.mjs FILE EXIT-CODE
 *
 * Out: a line with the number of tests that passed, then a line for each failure. A file that does not load, a run
 * without a test and a run that failed for any other reason are failures too.
 */
import { readFileSync } from "node:fs";

const [file = "", exitCode] = process.argv.slice(2);

/** @returns {{ passed: number, failures: string[] }} */
function readResults() {
  /** @type {{ name: string, status: string, assertionResults: { status: string, fullName: string }[] }[]} */
  let files;
  try {
    files = JSON.parse(readFileSync(file, "utf8")).testResults;
  } catch (error) {
    return { passed: 0, failures: [`vitest wrote no result (${String(error)})`] };
  }
  const tests = files.flatMap((entry) => entry.assertionResults);
  const failures = files.flatMap((entry) => {
    const failed = entry.assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && entry.status === "failed") return [`${entry.name} does not run`];
    return failed.map((test) => test.fullName);
  });
  return { passed: tests.filter((test) => test.status === "passed").length, failures };
}

const { passed, failures } = readResults();
if (failures.length === 0 && passed === 0) failures.push("no test ran");
if (failures.length === 0 && exitCode !== "0") failures.push(`vitest ended with ${exitCode}`);
console.log([passed, ...failures].join("\n"));

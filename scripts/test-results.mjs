/**
 * Sums up what vitest's JSON reporter wrote, for `.ci/run`.
 *
 *   node scripts/test-results.mjs FILE EXIT-CODE
 *
 * Out: a line with the number of tests that passed, then a line for each failure with the start of its message. A file
 * that does not load, a run without a test and a run that failed for any other reason are failures too.
 */
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/** Of a message, on one line: as much as says what happened, in characters. */
const messageLength = 1_000;

const [file = "", exitCode] = process.argv.slice(2);

/** @typedef {{ status: string, fullName: string, failureMessages: string[] }} TestResult */

/** @returns {{ passed: number, failures: string[] }} */
function readResults() {
  /** @type {{ name: string, status: string, message: string, assertionResults: TestResult[] }[]} */
  let files;
  try {
    files = JSON.parse(readFileSync(file, "utf8")).testResults;
  } catch (error) {
    return { passed: 0, failures: [`vitest wrote no result (${String(error)})`] };
  }
  const tests = files.flatMap((entry) => entry.assertionResults);
  const failures = files.flatMap((entry) => {
    const failed = entry.assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && entry.status === "failed") {
      return [`${entry.name} does not run: ${shorten(entry.message)}`];
    }
    return failed.map((test) => `${test.fullName}: ${shorten(test.failureMessages.join(" "))}`);
  });
  return { passed: tests.filter((test) => test.status === "passed").length, failures };
}

/** @param {string} message */
function shorten(message) {
  const line = stripVTControlCharacters(message).replaceAll(/\s+/g, " ").trim();
  return line.length > messageLength ? `${line.slice(0, messageLength)}…` : line;
}

const { passed, failures } = readResults();
if (failures.length === 0 && passed === 0) failures.push("no test ran");
if (failures.length === 0 && exitCode !== "0") failures.push(`vitest ended with ${exitCode}`);
console.log([passed, ...failures].join("\n"));

/**
 * A reporter of vitest's for `.ci/run`: how many tests passed, and what failed with its message, hooks among it. vitest's
 * own JSON has no message of a hook that failed, and its tests as skipped.
 *
 *   RESULTS_FILE=FILE vitest run --reporter=./scripts/results-reporter.mjs
 *
 * Out: FILE, `{"passed": 1, "failures": ["name: message"]}`.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";

/** Of a message, on one line: as much as says what happened, in characters. */
const messageLength = 1_000;

/** @typedef {readonly { readonly message: string, readonly stack?: string | undefined }[]} Errors */

/** @typedef {import("vitest/node").Reporter} Reporter */

/** @implements {Reporter} */
export default class ResultsReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {Errors} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    let passed = 0;
    /** @type {string[]} */
    const failures = [];
    const add = (/** @type {string} */ name, /** @type {Errors} */ errors) => {
      if (errors.length > 0) failures.push(`${name}: ${errors.map(messageOf).join(" ")}`);
    };
    for (const module of modules) {
      const file = path.relative("", module.moduleId);
      add(`${file} does not run`, module.errors());
      for (const suite of module.children.allSuites()) {
        add(`${suite.fullName}, before or after its tests`, suite.errors());
      }
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") add(test.fullName, errors);
      }
    }
    add("outside of any test", unhandled);
    writeFileSync(
      process.env["RESULTS_FILE"] ?? "results.json",
      JSON.stringify({ passed, failures }),
    );
  }
}

/** @param {Errors[number]} error */
function messageOf({ message, stack }) {
  const line = stripVTControlCharacters(stack ?? message)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > messageLength ? `${line.slice(0, messageLength)}…` : line;
}

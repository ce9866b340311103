/**
 * A reporter of vitest that writes what `.ci/run` counts: how many tests passed in each file, and what failed, hooks
 * and files that do not load included, which vitest's JSON reporter leaves without a message.
 *
 * Out: a JSON file, named by CI_RESULTS.
 */
import { writeFileSync } from "node:fs";
import { env } from "node:process";
import { stripVTControlCharacters } from "node:util";

/**
 * @typedef {{ file: string, passed: number, failures: string[] }} FileResult A file is "" for errors outside of any
 */

/** Of a message, on one line: as much as says what happened, in characters. */
const messageLength = 1_000;

export default class CiReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly { message: string }[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const results = modules.map(resultOf);
    if (unhandledErrors.length > 0) {
      const failures = unhandledErrors.map((error) => `outside of any test: ${messageOf([error])}`);
      results.push({ file: "", passed: 0, failures });
    }
    writeFileSync(env["CI_RESULTS"] ?? "", JSON.stringify(results));
  }
}

/**
 * @param {import("vitest/node").TestModule} module
 * @returns {FileResult}
 */
function resultOf(module) {
  const file = module.relativeModuleId;
  const ofSuites = [module, ...module.children.allSuites()].flatMap((suite) => {
    const name = suite.type === "module" ? file : suite.fullName;
    const errors = suite.errors();
    return errors.length === 0 ? [] : [`${name} does not run: ${messageOf(errors)}`];
  });
  const ofTests = [...module.children.allTests("failed")].map(
    (test) => `${test.fullName}: ${messageOf(test.result().errors ?? [])}`,
  );
  return {
    file,
    passed: [...module.children.allTests("passed")].length,
    failures: [...ofSuites, ...ofTests],
  };
}

/** @param {readonly { message: string }[]} errors */
function messageOf(errors) {
  const text = stripVTControlCharacters(errors.map(({ message }) => message).join(" "));
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > messageLength ? `${line.slice(0, messageLength)}…` : line;
}

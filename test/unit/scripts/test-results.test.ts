import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/test-results.mjs", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "plimsoll-results-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const passed = { status: "passed", fullName: "adds" };
const failed = {
  status: "failed",
  fullName: "subtracts",
  failureMessages: [
    `\u001B[31mAssertionError\u001B[39m: expected 1\n    to be 2${".".repeat(1_000)}`,
  ],
};
const skipped = { status: "skipped", fullName: "divides" };
const file = (status: string, ...assertionResults: object[]) => ({
  name: "a.test.ts",
  message: "SyntaxError:\n  ;",
  status,
  assertionResults,
});

it.each([
  ["counts what passed", 0, [file("passed", passed, passed), file("passed", passed)], ["3"]],
  ["does not count what was skipped", 0, [file("passed", passed, skipped)], ["1"]],
  [
    "names what failed",
    1,
    [file("failed", passed, failed)],
    [
      "1",
      `subtracts: ${`AssertionError: expected 1 to be 2${".".repeat(1_000)}`.slice(0, 1_000)}…`,
    ],
  ],
  [
    "names a file that does not load",
    1,
    [file("failed")],
    ["0", "a.test.ts does not run: SyntaxError: ;"],
  ],
  ["fails a run without a test", 0, [file("passed", skipped)], ["0", "no test ran"]],
  ["fails a run that vitest failed", 1, [file("passed", passed)], ["1", "vitest ended with 1"]],
])("%s", (_name, exitCode, testResults, expected) => {
  const results = path.join(folder, "results.json");
  writeFileSync(results, JSON.stringify({ testResults }));
  const output = execFileSync(process.execPath, [script, results, String(exitCode)]);
  expect(output.toString().trimEnd().split("\n")).toEqual(expected);
});

it("fails a run that left no results", () => {
  const results = path.join(folder, "missing.json");
  const output = execFileSync(process.execPath, [script, results, "1"]).toString();
  expect(output).toMatch(/^0\nvitest wrote no result .*missing\.json/);
});

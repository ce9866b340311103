import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const script = path.join(root, "scripts", "test-results.mjs");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "plimsoll-results-"));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

it.each([
  [
    "counts what passed, and names what failed",
    1,
    { passed: 3, failures: ["a: b"] },
    ["3", "a: b"],
  ],
  ["fails a run without a test", 0, { passed: 0, failures: [] }, ["0", "no test ran"]],
  ["fails a run that vitest failed", 1, { passed: 1, failures: [] }, ["1", "vitest ended with 1"]],
])("%s", (_name, exitCode, content, expected) => {
  const results = path.join(folder, "results.json");
  writeFileSync(results, JSON.stringify(content));
  const output = execFileSync(process.execPath, [script, results, String(exitCode)]);
  expect(output.toString().trimEnd().split("\n")).toEqual(expected);
});

it("fails a run that left no results", () => {
  const results = path.join(folder, "missing.json");
  const output = execFileSync(process.execPath, [script, results, "1"]).toString();
  expect(output).toMatch(/^0\nvitest wrote no result .*missing\.json/);
});

it("has the messages of tests, of hooks, of a file that does not load and of what nobody awaits", () => {
  writeFileSync(
    path.join(folder, "hooks.test.mjs"),
    `import { afterAll, beforeAll, describe, expect, it } from "vitest";
     it("adds", () => {});
     it("subtracts", () => expect(1).toBe(2));
     it.skip("divides", () => {});
     describe("begun", () => {
       beforeAll(() => { throw new Error("no port" + ".".repeat(1_000)); });
       it("is never begun", () => {});
     });
     describe("ended", () => {
       afterAll(() => { throw new Error("still\\n  there"); });
       it("passes", () => {});
     });
     it("rejects", () => { void Promise.reject(new Error("nobody awaits it")); });`,
  );
  writeFileSync(path.join(folder, "broken.test.mjs"), "import './nowhere.mjs';");
  const results = path.join(folder, "own.json");
  const reporter = path.join(root, "scripts", "results-reporter.mjs");
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const { status, stderr } = spawnSync(
    process.execPath,
    [vitest, "run", `--reporter=${reporter}`],
    { cwd: folder, encoding: "utf8", env: { PATH: process.env["PATH"], RESULTS_FILE: results } },
  );
  expect(status, stderr).toBe(1);
  const { passed, failures }: { passed: number; failures: string[] } = JSON.parse(
    readFileSync(results, "utf8"),
  );
  expect(passed).toBe(3);
  expect(failures).toHaveLength(5);
  expect(failures).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^begun, before or after its tests: Error: no port\.{3}.*…$/),
      expect.stringMatching(/broken\.test\.mjs does not run: .*nowhere\.mjs/),
      expect.stringMatching(/^ended, before or after its tests: Error: still there/),
      expect.stringMatching(/^outside of any test: Error: nobody awaits it/),
      expect.stringMatching(/^subtracts: AssertionError: expected 1 to be 2/),
    ]),
  );
});

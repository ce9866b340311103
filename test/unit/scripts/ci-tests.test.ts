import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/ci-tests.mjs", import.meta.url));
const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "plimsoll-ci-tests-"));
  symlinkSync(modules, path.join(folder, "node_modules"));
  writeFileSync(
    path.join(folder, "package.json"),
    JSON.stringify({ type: "module", scripts: { checks: "vitest run" } }),
  );
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The lines of the result file for these test files. */
function resultsOf(files: Readonly<Record<string, string>>): string[] {
  for (const [name, text] of Object.entries(files)) {
    const source = `import { beforeAll, describe, expect, it } from "vitest";\n${text}`;
    writeFileSync(path.join(folder, `${name}.test.js`), source);
  }
  const results = path.join(folder, "results");
  const { status } = spawnSync(process.execPath, [script, results, "checks"], { cwd: folder });
  expect(status).toBe(0);
  return readFileSync(results, "utf8").trimEnd().split("\n");
}

const passes = 'it("adds", () => {});';
const broken = `describe("in a shop", () => { beforeAll(() => { throw new Error("closed\\n today") }); ${passes} });`;
const onlyTheSecondTime = `import { existsSync, writeFileSync } from "node:fs";
it("subtracts", () => {
  const isSecond = existsSync("marker");
  writeFileSync("marker", "");
  expect(isSecond).toBe(true);
});`;

it("counts what passed, not what was skipped", () => {
  expect(resultsOf({ a: `${passes} it.skip("divides", () => {});`, b: passes })).toEqual(["2"]);
});

it("names what failed twice, hooks and files that do not load included", () => {
  const failing = `${passes} it("multiplies", () => { throw new Error("${"x".repeat(2_000)}") });`;
  expect(resultsOf({ a: failing, b: broken, c: "throw new Error('no');", d: passes })).toEqual([
    "2",
    `multiplies: ${"x".repeat(1_000)}…`,
    "in a shop does not run: closed today",
    "c.test.js does not run: no",
  ]);
});

it("names what failed and then passed as unsteady, and counts it once", () => {
  expect(resultsOf({ a: passes, b: `${passes} ${onlyTheSecondTime}` })).toEqual([
    "3",
    expect.stringMatching(/^unsteady: subtracts: expected false to be true/),
  ]);
});

it("gives no second try to many files", () => {
  const files = Object.fromEntries(["a", "b", "c"].map((name) => [name, broken]));
  const results = resultsOf({ ...files, d: onlyTheSecondTime });
  expect(results).toHaveLength(5);
  expect(results.at(-1)).toMatch(/^subtracts: /);
});

it("fails a run without a test", () => {
  expect(resultsOf({ a: 'it.skip("divides", () => {});' })).toEqual(["0", "no test ran"]);
});

it("fails a run that ends badly though each test passed", () => {
  const late = `${passes} setTimeout(() => { throw new Error("late") });`;
  expect(
    resultsOf({ a: `${late} it("waits", () => new Promise((done) => setTimeout(done, 50)));` }),
  ).toEqual(["2", "outside of any test: late"]);
});

it("fails a run that leaves no result", () => {
  writeFileSync(path.join(folder, "vitest.config.js"), "throw new Error('no');");
  expect(resultsOf({ a: passes })).toEqual(["0", expect.stringMatching(/^vitest wrote no result/)]);
});

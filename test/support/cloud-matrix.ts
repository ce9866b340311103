/**
 * What came of each way to use each k6 with a server of ours, as the tests have seen it: a JSON file that they are held to,
 * and docs/k6-cloud.md with them. `UPDATE_DOCS=1` has the tests write it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { expect } from "vitest";
import { format } from "prettier";

const file = new URL("../golden/k6-cloud-matrix.json", import.meta.url);

/** By what was done, by k6's version: how it ended. */
export type CloudMatrix = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function readMatrix(): CloudMatrix {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Holds what a test has seen to the matrix, or puts it there. */
export async function expectInMatrix(
  what: string,
  version: string,
  outcome: string,
): Promise<void> {
  if (process.env["UPDATE_DOCS"] !== "1") {
    expect(outcome, `${what} with k6 ${version}`).toBe(readMatrix()[what]?.[version]);
    return;
  }
  const write = async (): Promise<void> => {
    const matrix = readMatrix();
    const changed = { ...matrix, [what]: sorted({ ...matrix[what], [version]: outcome }) };
    const text = JSON.stringify(sorted(changed));
    writeFileSync(file, await format(text, { parser: "json", printWidth: 100 }));
  };
  // Tests that run at the same time write one after the other.
  writing = writing.then(write);
  await writing;
}

let writing = Promise.resolve();

/** By name, whichever test was first. */
function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

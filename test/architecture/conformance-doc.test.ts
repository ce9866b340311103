/** docs/conformance.md has every rule; each MUST of it is held by a test that there is, or is a deviation. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readTable, uncode } from "../support/markdown.ts";

const levels = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "CAN"];

describe.each([
  { version: "1", heading: "## Remote write 1.0", musts: 34, deviations: 3, rows: 42 },
  { version: "2", heading: "## Remote write 2.0", musts: 45, deviations: 1, rows: 72 },
])("remote write $version.0", ({ version, heading, musts, deviations, rows: expectedRows }) => {
  const rows = () => readTable("conformance.md", heading);
  const tests = async () => {
    const file = `../conformance/remote-write-${version}.test.ts`;
    const source = await readFile(new URL(file, import.meta.url), "utf8");
    return [...source.matchAll(/^it\(\s*"([^"]+)"/gm)].map(([, name = ""]) => name);
  };
  const isDeviation = (heldBy: string | undefined) => heldBy?.startsWith("deviation: ") === true;

  it("has a level that the specification knows in every row", async () => {
    const all = await rows();
    for (const [section, level, rule, heldBy] of all) {
      expect(levels).toContain(level);
      for (const cell of [section, rule, heldBy]) expect(cell).not.toBe("");
    }
    expect(all).toHaveLength(expectedRows);
  });

  it("names a test for every MUST, but for the deviations", async () => {
    const names = await tests();
    const all = (await rows()).filter(([, level]) => level?.startsWith("MUST"));
    for (const [, , rule, heldBy] of all.filter(([, , , heldBy]) => !isDeviation(heldBy))) {
      expect(names, rule).toContain(uncode(heldBy));
    }
    expect(all).toHaveLength(musts);
    expect(all.filter(([, , , heldBy]) => isDeviation(heldBy))).toHaveLength(deviations);
  });

  it("has a row for every test, and no name of a test that there is not", async () => {
    const names = await tests();
    const named = (await rows()).map(([, , , heldBy]) => uncode(heldBy));
    expect(names.filter((name) => !named.includes(name))).toEqual([]);
    const looksLikeOne = named.filter((name) => /^[\w &-]+: .*(MUST|SHOULD|MAY|CAN)/.test(name));
    expect(looksLikeOne.filter((name) => !names.includes(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(25);
  });
});

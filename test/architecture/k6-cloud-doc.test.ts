/** The matrix of docs/k6-cloud.md is what the integration tests have seen, of every version in every row. */
import { expect, it } from "vitest";
import { k6Versions } from "../support/cloud-k6.ts";
import { readMatrix } from "../support/cloud-matrix.ts";
import { expectGeneratedTable } from "../support/markdown.ts";

it("has a row for each thing that was tried, and a column for each k6", async () => {
  const versions = k6Versions.map(({ version }) => version);
  const rows = Object.entries(readMatrix()).map(([what, outcomes]) => {
    expect(Object.keys(outcomes).toSorted(), what).toEqual(versions);
    return [what, ...versions.map((version) => outcomes[version] ?? "")];
  });
  expect(rows.length).toBeGreaterThan(20);
  const header = ["", ...versions.map((version) => `k6 v${version}`)];
  await expectGeneratedTable("k6-cloud.md", "<!-- begin: generated matrix -->", [header, ...rows]);
});

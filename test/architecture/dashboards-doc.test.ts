/** docs/dashboards.md has every dashboard, and what decides which resource answers for the slow time. */
import { expect, it } from "vitest";
import { dashboards } from "../../src/dashboards/all.ts";
import { resources } from "../../src/dashboards/attribution.ts";
import { readTable } from "../support/markdown.ts";

it("documents every dashboard", async () => {
  const rows = await readTable("dashboards.md", "# Dashboards");
  const documented = rows.map(([name]) => /^\[(.+)\]/.exec(name ?? "")?.[1]?.toLowerCase());
  expect(new Set(documented)).toEqual(new Set(Object.keys(dashboards)));
});

it("documents each resource with the limits of its signals and what explains it", async () => {
  const marker = "<!-- begin: checked against src/dashboards/attribution.ts -->";
  const rows = await readTable("dashboards.md", marker);
  expect(rows.map(([name]) => name)).toEqual(resources.map(({ name }) => name));
  for (const [index, { name, signals, explainedBy }] of resources.entries()) {
    const [, waited = "", explained = ""] = rows[index] ?? [];
    expect(new Set(explained.split(", ").filter(Boolean)), name).toEqual(new Set(explainedBy));
    for (const { above } of signals) expect(waited, name).toMatch(inWords(above));
  }
});

/** As the page has it: a share as a number or in words, a multiple as "twice". */
function inWords(limit: number): RegExp {
  const words: Readonly<Record<string, string>> = {
    "0.3": "0\\.3|3 of 10",
    "0.5": "half",
    "2": "twice",
    "3": "three times",
  };
  return new RegExp(words[String(limit)] ?? String(limit).replace(".", "\\."));
}

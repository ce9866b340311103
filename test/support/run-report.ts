/**
 * The report that `--report` writes, and what must be true of each.
 */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { RunReport } from "../../src/cli/run-report.ts";

export async function readReport(path: string): Promise<RunReport> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** read = aggregated + dropped; recovered + encoded = delivered + pending + rejected. */
export function expectAccounted({ samples, points }: RunReport): void {
  expect(samples.read).toBe(samples.aggregated + sum(samples.dropped));
  expect(points.recovered + points.encoded).toBe(
    points.delivered + points.pending + sum(points.rejected),
  );
}

/** The fields as docs/cli.md spells them: `samples.read`. */
export function reportFields(report: RunReport): string[] {
  const groups = new Set(["samples", "points", "series", "generator"]);
  return Object.entries(report).flatMap(([name, value]) =>
    groups.has(name) ? Object.keys(value).map((key) => `${name}.${key}`) : [name],
  );
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

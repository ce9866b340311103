/**
 * Tables of Markdown files, for tests that hold the docs to the source.
 */
import { readFile, writeFile } from "node:fs/promises";
import { format } from "prettier";
import { expect } from "vitest";

/** A file of docs/, e.g. `cli.md`. */
function docsFile(name: string): URL {
  return new URL(`../../docs/${name}`, import.meta.url);
}

/**
 * The rows of the first table under a heading or a marker comment: cells without their code marks.
 *
 * @throws Error where there is none: a check that looked at nothing fails.
 */
export async function readTable(name: string, after: string): Promise<string[][]> {
  const content = await readFile(docsFile(name), "utf8");
  const at = content.indexOf(`${after}\n`);
  const [table] = at < 0 ? [] : (/(?:^\|.*\|\n)+/m.exec(content.slice(at)) ?? []);
  const [, , ...rows] = table?.trimEnd().split("\n") ?? [];
  if (rows.length === 0) throw new Error(`docs/${name} has no table after ${after}`);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
}

/** The text of a cell that is code. */
export function uncode(cell: string | undefined): string {
  return cell?.replace(/^`(.*)`$/, "$1") ?? "";
}

/** What stands between a marker and `<!-- end: generated -->` is this table; `UPDATE_DOCS=1` makes it so. */
export async function expectGeneratedTable(
  name: string,
  begin: string,
  rows: readonly (readonly string[])[],
): Promise<void> {
  const end = "<!-- end: generated -->";
  const content = await readFile(docsFile(name), "utf8");
  const start = content.indexOf(begin);
  const stop = content.indexOf(end, start);
  if (start < 0 || stop < 0) throw new Error(`docs/${name} has no ${begin}`);
  const [header = [], ...body] = rows;
  const table = [header, header.map(() => "---"), ...body]
    .map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
  const expected = await format(
    `${content.slice(0, start)}${begin}\n\n${table}\n\n${content.slice(stop)}`,
    { parser: "markdown", printWidth: 100 },
  );
  if (process.env["UPDATE_DOCS"] === "1") await writeFile(docsFile(name), expected);
  else expect(content, "run the test with UPDATE_DOCS=1").toBe(expected);
}

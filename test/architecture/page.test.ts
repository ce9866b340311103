/** Of the page's source: what others wrote is text in it, always, and nothing is inline that the security policy forbids. */
import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";

const web = new URL("../../src/web/", import.meta.url);

/** What makes markup, or code, of text. */
const sinks =
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTML|DOMParser|srcdoc|\beval\(|new Function\b|javascript:/i;

it("makes markup of no text, and has no style that is not in a style sheet", async () => {
  const paths = (await readdir(web, { recursive: true })).filter((path) => /\.tsx?$/.test(path));
  expect(paths.length).toBeGreaterThan(40);
  const found: string[] = [];
  for (const path of paths) {
    const lines = (await readFile(new URL(path, web), "utf8")).split("\n");
    for (const [at, line] of lines.entries()) {
      if (sinks.test(line) || /\sstyle=[{"]/.test(line)) found.push(`${path}:${at + 1}: ${line}`);
    }
  }
  expect(found).toEqual([]);
});

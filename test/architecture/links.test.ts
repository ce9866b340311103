/** The pages of the project link to what is there. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);

it("has no link to a file that is not there", async () => {
  const docs = (await readdir(new URL("docs/", root)))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`);
  const others = ["CONTRIBUTING.md", "examples/README.md", "tools/dashboard-audit/README.md"];
  const pages = ["README.md", ...others, ...docs];
  let links = 0;
  for (const page of pages) {
    const content = await readFile(new URL(page, root), "utf8");
    for (const [, target = ""] of content.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      links += 1;
      const file = fileURLToPath(new URL(target, new URL(page, root)));
      expect(existsSync(file), `${page} links to ${target}`).toBe(true);
    }
  }
  expect(pages.length).toBeGreaterThanOrEqual(8);
  expect(links).toBeGreaterThan(10);
});

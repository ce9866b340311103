import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { scriptSources } from "../../../src/generate/script-sources.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function write(name: string, source: string): Promise<string> {
  const file = join(folder.path, name);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, source);
  return file;
}

it("reads a script and each of its modules once, in whatever way they are imported", async () => {
  const script = await write(
    "main.js",
    'import http from "k6/http"; import { a } from "./lib/a.js";\nimport "./lib/b.js"; export default () => {};',
  );
  await write("lib/a.js", "const c = require('../c.js'); export const a = 1;");
  await write("lib/b.js", 'export * from "./a.js"; // again');
  await write("c.js", "import(`./main.js`);");
  const sources = await scriptSources(script);
  expect(sources?.map((source) => source.slice(0, 14)).sort()).toEqual([
    "const c = requ",
    "export * from ",
    "import http fr",
    "import(`./main",
  ]);
});

it.each([
  'import "./nowhere.js";',
  "import(`./${name}.js`);",
  'const lib = require("./" + name);',
  'import { x } from "file:///lib.js";',
  "export * from './folder'",
])("gives up where a module cannot be read: %s", async (source) => {
  await mkdir(join(folder.path, "folder"), { recursive: true });
  expect(await scriptSources(await write("lost.js", source))).toBeUndefined();
});

it("cannot read standard input before k6 does", async () => {
  expect(await scriptSources("-")).toBeUndefined();
});

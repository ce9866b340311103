import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfigFile } from "../../../src/config/config-file.ts";
import { ConfigError } from "../../../src/errors.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

it("finds plimsoll.yaml in the working directory", async () => {
  await using folder = await createTemporaryFolder();
  await writeFile(join(folder.path, "plimsoll.yaml"), "test: checkout\n");
  expect(loadConfigFile(undefined, folder.path)).toEqual({
    source: "plimsoll.yaml",
    directory: folder.path,
    values: { test: "checkout" },
  });
});

it("is content without a file that was not asked for", async () => {
  await using folder = await createTemporaryFolder();
  expect(loadConfigFile(undefined, folder.path)).toBeUndefined();
});

it("takes the file's own directory as the start of its paths", async () => {
  await using folder = await createTemporaryFolder();
  await mkdir(join(folder.path, "ci"));
  await writeFile(join(folder.path, "ci", "load.yaml"), "");
  expect(loadConfigFile("ci/load.yaml", folder.path)).toEqual({
    source: "ci/load.yaml",
    directory: join(folder.path, "ci"),
    values: {},
  });
});

it("keeps every scalar as it was written", async () => {
  await using folder = await createTemporaryFolder();
  const yaml = "a: 1.10\nb: 007\nc: yes\nd: ~\ne:\nf: [1, {g: 0x10}]\n";
  await writeFile(join(folder.path, "plimsoll.yaml"), yaml);
  expect(loadConfigFile(undefined, folder.path)?.values).toEqual({
    a: "1.10",
    b: "007",
    c: "yes",
    d: null,
    e: null,
    f: ["1", { g: "0x10" }],
  });
});

it.each([
  ["a list", "- test: checkout\n", '"plimsoll.yaml" is not a map of options'],
  ["broken YAML", "test: [\n", '"plimsoll.yaml" is not valid YAML: '],
  ["a key twice", "test: a\ntest: b\n", "Map keys must be unique at line 2, column 1"],
])("refuses %s", async (_, yaml, message) => {
  await using folder = await createTemporaryFolder();
  await writeFile(join(folder.path, "plimsoll.yaml"), yaml);
  const load = () => loadConfigFile(undefined, folder.path);
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(message);
});

it.each([
  ["is missing", "none.yaml", "ENOENT"],
  ["is a directory", ".", "EISDIR"],
])("refuses a file that %s", async (_, path, reason) => {
  await using folder = await createTemporaryFolder();
  const load = () => loadConfigFile(path, folder.path);
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(`--config-file (from ${path}): cannot read`);
  expect(load).toThrow(reason);
});

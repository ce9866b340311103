import { array, assert, property, string, uniqueArray } from "fast-check";
import { expect, it } from "vitest";
import { type Folder, toFileTree } from "../../../src/web/record/folder.ts";

function pathsOf(folder: Folder): string[] {
  return [...folder.folders.flatMap(pathsOf), ...folder.files.map(({ path }) => path)];
}

it("begins at the folder that all files are in, and joins folders that hold one folder only", () => {
  const tree = toFileTree([
    "/home/ci/shop/script.js",
    "/home/ci/shop/lib/http/client.js",
    "/home/ci/shop/data.json",
  ]);
  expect(tree).toEqual({
    name: "",
    folders: [
      {
        name: "lib/http",
        folders: [],
        files: [{ name: "client.js", path: "/home/ci/shop/lib/http/client.js" }],
      },
    ],
    files: [
      { name: "data.json", path: "/home/ci/shop/data.json" },
      { name: "script.js", path: "/home/ci/shop/script.js" },
    ],
  });
});

it("has each file once, whatever the paths", () => {
  const path = array(string({ maxLength: 3 }), { minLength: 1, maxLength: 60 }).map((names) =>
    names.join("/"),
  );
  assert(
    property(uniqueArray(path), (paths) => {
      expect(pathsOf(toFileTree(paths)).sort()).toEqual([...paths].sort());
    }),
  );
});

it("takes a path of a hundred thousand folders for one name", () => {
  const path = "a/".repeat(100_000);
  expect(toFileTree([path, "b"]).files.map(({ name }) => name)).toContain(path);
});

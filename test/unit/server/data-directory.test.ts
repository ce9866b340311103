import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DatabaseError } from "../../../src/errors.ts";
import { openDataDirectory } from "../../../src/server/data-directory.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plimsoll-data-"));
  path = join(folder, "server.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("makes a server, which is the same one whenever it is opened again, and no other's", () => {
  const first = openDataDirectory(folder, "db");
  expect(first.isNew).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(openDataDirectory(folder, "db")).toEqual({ serverId: first.serverId, isNew: false });
  rmSync(path);
  expect(openDataDirectory(folder, "db").serverId).not.toBe(first.serverId);
});

it("is refused with another database, as it was left, with what to do", () => {
  const { serverId } = openDataDirectory(folder, "one");
  const before = readFileSync(path, "utf8");
  const open = () => openDataDirectory(folder, "another");
  expect(open).toThrow(DatabaseError);
  expect(open).toThrow(/is of another database \(one, expected another\): .*--data-dir.*remove "/);
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(openDataDirectory(folder, "one").serverId).toBe(serverId);
});

it.each(["", "{", "null", '{"id":"a"}', '{"id":1,"databaseId":"db"}'])(
  "is not taken for a new one where its file has %j",
  (text) => {
    writeFileSync(path, text);
    expect(() => openDataDirectory(folder, "db")).toThrow(/server.json" is damaged: put it back/);
    expect(readFileSync(path, "utf8")).toBe(text);
  },
);

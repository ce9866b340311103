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

it("makes a server, which is the same one whenever it is opened again, and no other's", async () => {
  let prepared = 0;
  const open = async () => await openDataDirectory(folder, "db", async () => void prepared++);
  const first = await open();
  expect(prepared).toBe(1);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await open()).toBe(first);
  expect(prepared).toBe(1);
  rmSync(path);
  expect(await open()).not.toBe(first);
  expect(prepared).toBe(2);
});

it("is nobody's as long as it could not be prepared", async () => {
  const refuse = async () => await Promise.reject(new Error("the database is away"));
  await expect(openDataDirectory(folder, "db", refuse)).rejects.toThrow("is away");
  let isPrepared = false;
  await openDataDirectory(folder, "db", async () => void (isPrepared = true));
  expect(isPrepared).toBe(true);
});

it("is refused with another database, as it was left, with what to do", async () => {
  const nothing = async (): Promise<void> => undefined;
  const serverId = await openDataDirectory(folder, "one", nothing);
  const before = readFileSync(path, "utf8");
  const open = async () => await openDataDirectory(folder, "another", nothing);
  await expect(open()).rejects.toThrow(DatabaseError);
  await expect(open()).rejects.toThrow(
    /is of another database \(one, expected another\): .*--data-dir.*remove "/,
  );
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(await openDataDirectory(folder, "one", nothing)).toBe(serverId);
});

it.each(["", "{", "null", '{"id":"a"}', '{"id":1,"databaseId":"db"}'])(
  "is not taken for a new one where its file has %j",
  async (text) => {
    writeFileSync(path, text);
    let isPrepared = false;
    await expect(
      openDataDirectory(folder, "db", async () => void (isPrepared = true)),
    ).rejects.toThrow(/server.json" is damaged: put it back/);
    expect(isPrepared).toBe(false);
    expect(readFileSync(path, "utf8")).toBe(text);
  },
);

import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { processSpace, recordOf } from "../../../src/process-identity.ts";
import {
  awaitDirectory,
  type DirectoryLock,
  lockDirectory,
  lockOwner,
} from "../../../src/spool/directory-lock.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
let path: string;
const taken: DirectoryLock[] = [];
beforeEach(async () => {
  folder = await createTemporaryFolder();
  path = join(folder.path, "lock");
});
afterEach(async () => {
  for (const lock of taken.splice(0)) lock.release();
  await folder[Symbol.asyncDispose]();
});

function take(): DirectoryLock {
  const lock = lockDirectory(folder.path);
  taken.push(lock);
  return lock;
}

/** A lock that its owner has last touched so long ago. */
function leave(text: string, ageMs = 0): void {
  writeFileSync(path, text);
  const at = new Date(Date.now() - ageMs);
  utimesSync(path, at, at);
}

const here = processSpace() ?? "";
const { identity } = recordOf(process.pid);
const elsewhere = `7\n${identity}\na container\n`;

it("names the process that has a folder, until that gives it up", () => {
  const lock = take();
  expect(lockOwner(folder.path)).toBe(process.pid);
  expect(lock.isHeld()).toBe(true);
  expect(take).toThrow(
    `spool folder ${JSON.stringify(folder.path)} is in use by process ${process.pid}; nothing was read`,
  );
  lock.release();
  expect(lockOwner(folder.path)).toBeUndefined();
  expect(existsSync(path)).toBe(false);
  lock.release();
  take();
});

describe("a lock is refused", () => {
  it.each([
    { owner: "another thread of this process", text: `${process.pid}\n${identity}\n${here}\n` },
    {
      owner: "a process that runs",
      text: `${process.ppid}\n${recordOf(process.ppid).identity}\n${here}\n`,
    },
    { owner: "a process of an earlier version that runs", text: `${process.ppid}\n` },
  ])("of $owner, however long it has not touched it", ({ text }) => {
    leave(text, 3_600_000);
    expect(take).toThrow(/is in use by process \d+; .* If that process is not Plimsoll, remove/);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it.each([
    { owner: "a process of another container", pid: 7 },
    { owner: "one that has our id and identity there", pid: process.pid },
  ])("of $owner that may run, with when it is free", ({ pid }) => {
    leave(`${pid}\n${identity}\na container\n`, 14_000);
    expect(take).toThrow(
      `is in use by process ${pid} of another container or machine; nothing was read or changed. ` +
        "If it was killed, the folder is free 15 s after its end",
    );
    expect(lockOwner(folder.path)).toBe(pid);
  });

  it("of a process that is still writing it", () => {
    leave("");
    expect(take).toThrow("in use by a process that is only just taking it");
  });
});

describe("a lock is taken over at once", () => {
  it.each([
    { owner: "a process that is gone", text: `99999999\n${identity}\n${here}\n`, ageMs: 0 },
    {
      owner: "an earlier process with our id",
      text: `${process.pid}\nearlier\n${here}\n`,
      ageMs: 0,
    },
    { owner: "a process of an earlier version that is gone", text: "99999999\n", ageMs: 0 },
    { owner: "one with our id, in an earlier container", text: `${process.pid}\n`, ageMs: 0 },
  ])("of $owner", ({ text, ageMs }) => {
    leave(text, ageMs);
    expect(lockOwner(folder.path)).toBeUndefined();
    expect(take().isHeld()).toBe(true);
    expect(lockOwner(folder.path)).toBe(process.pid);
  });
});

it("takes a lock over without touching what another process has moved aside, with our id in its container", () => {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, elsewhere);
  leave("99999999\n");
  expect(take().isHeld()).toBe(true);
  expect(readFileSync(aside, "utf8")).toBe(elsewhere);
  rmSync(aside);
  expect(readdirSync(folder.path)).toEqual(["lock"]);
});

it("is touched for as long as it is held", async () => {
  take();
  leave(readFileSync(path, "utf8"), 3_600_000);
  await vi.waitFor(() => expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000), 10_000);
});

it("is lost to a process that has taken it over, whose lock stays", () => {
  const lock = take();
  leave(elsewhere);
  expect(lock.isHeld()).toBe(false);
  lock.release();
  expect(readFileSync(path, "utf8")).toBe(elsewhere);
});

describe("who waits for another container", () => {
  it.each([
    { what: "is fresh", ageMs: 5_000, touchedMs: 0 },
    { what: "looks old: its machine slept", ageMs: 3_600_000, touchedMs: 0 },
    { what: "looks old for good: its clock is behind", ageMs: 3_600_000, touchedMs: 3_598_500 },
    { what: "is from the future", ageMs: -3_600_000, touchedMs: -3_601_500 },
  ])("is refused at its next sign of life, where the lock $what", async ({ ageMs, touchedMs }) => {
    leave(elsewhere, ageMs);
    const refused = awaitDirectory(folder.path, () => leave(elsewhere, touchedMs));
    await expect(refused).rejects.toThrow("in use by process 7 of another container or machine");
    expect(readFileSync(path, "utf8")).toBe(elsewhere);
  });

  it.each([
    { what: "is old", text: elsewhere, ageMs: 15_000, waitMs: 3_000 },
    { what: "is nobody's, of one that crashed", text: "", ageMs: 15_000, waitMs: 3_000 },
    { what: "is from the future", text: elsewhere, ageMs: -3_600_000, waitMs: 15_000 },
  ])("has the folder after $waitMs ms of silence, where the lock $what", async (lock) => {
    leave(lock.text, lock.ageMs);
    const clock = new FakeClock();
    const waiting = awaitDirectory(folder.path, () => undefined, clock);
    for (let waitedMs = 0; waitedMs < lock.waitMs; waitedMs += 100) {
      expect(readFileSync(path, "utf8")).toBe(lock.text);
      await clock.waitForSleep(100);
      clock.advance(100);
    }
    taken.push(await waiting);
    expect(lockOwner(folder.path)).toBe(process.pid);
  });

  it("has the folder at once when its owner ends, and removes the folder", async () => {
    leave(elsewhere);
    const ended = () => rmSync(folder.path, { recursive: true });
    taken.push(await awaitDirectory(folder.path, ended));
    expect(lockOwner(folder.path)).toBe(process.pid);
  });

  it("has the folder when it has been silent for 15 s, and says that it waits", async () => {
    leave(elsewhere, 14_500);
    const notices: string[] = [];
    taken.push(await awaitDirectory(folder.path, (text) => notices.push(text)));
    expect(notices).toEqual([
      `the folder ${JSON.stringify(folder.path)} was in use by process 7 of another container or machine just now; ` +
        "waiting for a sign of it, 15 s at most",
    ]);
    expect(lockOwner(folder.path)).toBe(process.pid);
  });

  it("does not wait for a process that can be asked for", async () => {
    leave(`${process.ppid}\n${recordOf(process.ppid).identity}\n${here}\n`);
    const notices: string[] = [];
    await expect(awaitDirectory(folder.path, (text) => notices.push(text))).rejects.toThrow(
      `in use by process ${process.ppid};`,
    );
    expect(notices).toEqual([]);
  });
});

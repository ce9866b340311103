import { expect, it } from "vitest";
import { BackgroundSync } from "../../../src/spool/background-sync.ts";

function record() {
  const synced: string[] = [];
  let resolve = (): void => undefined;
  const first = new Promise<void>((done) => {
    resolve = done;
  });
  const sync = async (path: string) => {
    synced.push(path);
    resolve();
  };
  return { synced, first, sync };
}

it("syncs each file that was appended to, once, however often", async () => {
  const { synced, first, sync } = record();
  const background = new BackgroundSync(1, sync);
  for (const path of ["a", "a", "b", "a"]) background.changed(path);
  await first;
  await background.close();
  expect(synced).toEqual(["a", "b"]);
});

it("syncs nothing where all has been delivered meanwhile", async () => {
  const { synced, first, sync } = record();
  const background = new BackgroundSync(1, sync);
  background.changed("delivered");
  background.settled();
  background.changed("waiting");
  await first;
  await background.close();
  expect(synced).toEqual(["waiting"]);
});

it("syncs what was appended to while it was syncing", async () => {
  const synced: string[] = [];
  let second = (): void => undefined;
  const isSecond = new Promise<void>((done) => {
    second = done;
  });
  const background = new BackgroundSync(1, async (path) => {
    synced.push(path);
    if (synced.length === 1) background.changed("a");
    else second();
  });
  background.changed("a");
  await isSecond;
  await background.close();
  expect(synced).toEqual(["a", "a"]);
});

it("ends with close, so that a process can leave", async () => {
  const { synced, sync } = record();
  const background = new BackgroundSync(1, sync);
  background.changed("a");
  await background.close();
  expect(synced).toEqual([]);
});

import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import type { RunRecord } from "../../../../src/runs/run-record.ts";
import type { RunRepository } from "../../../../src/runs/run-repository.ts";
import { Presence } from "../../../../src/server/live/presence.ts";
import { createEmbedded, newRun, type TestDatabase } from "../../../support/databases.ts";

let database: TestDatabase;
let repository: RunRepository;
beforeEach(async () => {
  database = await createEmbedded();
  repository = await database.open();
});
afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const notices: string[] = [];
afterEach(() => notices.splice(0));

/** @param minutesAhead How wrong the clock of its machine is. */
function startServer(serverId: string, peerUrl: string, minutesAhead = 0): Presence {
  let nowMs = 1_795_000_000_000 + minutesAhead * 60_000;
  return new Presence({
    repository,
    serverId,
    peerUrl,
    beatMs: 30_000,
    patienceBeats: 3,
    clock: { ...systemClock, nowMs: () => (nowMs += 30_000) },
    onNotice: (text) => notices.push(`${serverId}: ${text}`),
  });
}

async function runOf(serverId: string): Promise<RunRecord> {
  const { id } = await repository.ensureTest(1, "checkout", 0);
  const run = await repository.create(newRun(id, `of ${serverId}`, { serverId }));
  await repository.enter(run.id, { state: "running", atMs: 1 });
  return run;
}

const stateOf = async ({ id }: RunRecord) => (await repository.run(id))?.state;

it("times out the runs of a server that is silent for too long, and of no other, whatever clocks say", async () => {
  const [a, b, c] = [
    startServer("a", "http://a"),
    startServer("b", "http://b", -600),
    startServer("c", "http://c", 600),
  ];
  const runs = { a: await runOf("a"), b: await runOf("b"), c: await runOf("c") };
  const nobodys = await runOf("");
  await c.beat();
  for (let beat = 0; beat < 3; beat++) {
    await a.beat();
    await b.beat();
    expect(await stateOf(runs.c)).toBe("running");
  }
  await a.beat();
  expect(await repository.run(runs.c.id)).toMatchObject({ state: "timed_out", result: "error" });
  expect((await repository.run(runs.c.id))?.history.at(-1)?.reason).toContain("http://c");
  await b.beat();
  await a.beat();
  for (const run of [runs.a, runs.b, nobodys]) expect(await stateOf(run)).toBe("running");

  // It comes back, has another run, and is gone again.
  await c.beat();
  const next = await repository.create(newRun(runs.c.testId, "next", { serverId: "c" }));
  for (let beat = 0; beat < 3; beat++) await a.beat();
  expect(await stateOf(next)).toBe("created");
  await a.beat();
  expect(await stateOf(next)).toBe("timed_out");
  expect(notices).toEqual([]);
});

it("tries again what a database that was away has made fail", async () => {
  const a = startServer("a", "http://a");
  const run = await runOf("c");
  await startServer("c", "http://c").beat();
  for (let beat = 0; beat < 3; beat++) await a.beat();
  await database.query("alter table runs rename to away");
  await expect(a.beat()).rejects.toThrow();
  await database.query("alter table away rename to runs");
  expect(await stateOf(run)).toBe("running");
  await a.beat();
  expect(await stateOf(run)).toBe("timed_out");
});

it("says once that another server that is there has the same address", async () => {
  const [a, b] = [
    startServer("a", "http://127.0.0.1:6460"),
    startServer("b", "http://127.0.0.1:6460"),
  ];
  // One whose data directory is gone is not there.
  await a.beat();
  await b.beat();
  await b.beat();
  expect(notices).toEqual([]);
  for (let beat = 0; beat < 3; beat++) {
    await a.beat();
    await b.beat();
  }
  expect(notices.map((text) => text.slice(0, 3)).toSorted()).toEqual(["a: ", "b: "]);
  expect(notices[0]).toContain("at http://127.0.0.1:6460, too: give each its own --peer-url");
});

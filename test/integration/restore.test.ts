/**
 * A database that was restored from a backup, or is another one, beside a server's data directory: what the directory has
 * of newer runs, whose numbers are given again, is no other run's.
 */
import { copyFile, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { DatabaseError } from "../../src/errors.ts";
import type { RunRecord } from "../../src/runs/run-record.ts";
import type { RunRepository } from "../../src/runs/run-repository.ts";
import type { LiveRunService } from "../../src/server/live/run-service.ts";
import { runFileName, runFilesIn } from "../../src/server/run-files.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { newRun } from "../support/databases.ts";
import { encodeMetricSet } from "../support/encode-metric-set.ts";
import { openRunService } from "../support/live-service.ts";
import { type ReceiverServer, startReceiverServer } from "../support/receiver-server.ts";
import { startRun } from "../support/start-run.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

let folder: TemporaryFolder;
let store: ReceiverServer;
let dataDir: string;
let repository: RunRepository;
let service: LiveRunService | undefined;
const notices: string[] = [];
beforeEach(async () => {
  folder = await createTemporaryFolder();
  store = await startReceiverServer();
  dataDir = join(folder.path, "data");
  await start();
});
afterEach(async () => {
  await stop();
  for (const one of [store, folder]) await one[Symbol.asyncDispose]();
  notices.splice(0);
});

async function start(): Promise<LiveRunService> {
  repository = await openRepository({ dataDir, clock: systemClock });
  const onNotice = (notice: string) => notices.push(notice);
  const options = { repository, dataDir, writeUrl: store.url, drainTimeoutMs: 0, onNotice };
  service = await openRunService(options);
  return service;
}

async function stop(): Promise<void> {
  await service?.close();
  service = undefined;
  await repository[Symbol.asyncDispose]();
}

/** A run with two requests in its journal, a log and an archive, all of which say its name. */
async function startFullRun(live: LiveRunService, name: string): Promise<RunRecord> {
  const { run } = await live.start({ ...startRun, test: name });
  await push(live, run.id, name);
  await live.log(run.id, [{ timeNs: 1n, level: "info", message: name, labels: {} }]);
  const tar = (async function* () {
    yield Buffer.from(name);
  })();
  await live.saveArchive(run.id, tar);
  return run;
}

async function push(live: LiveRunService, runId: number, key: string): Promise<string> {
  const values = [{ seconds: Math.floor(Date.now() / 1_000), values: [1, 1] }];
  const series = [{ tags: {}, values }];
  const body = encodeMetricSet([{ name: "http_reqs", type: "counter", series }]);
  return await live.push({ runId, instance: "", key, body });
}

const twoRequests = [{ metric: "http_reqs", stat: "count", value: 2 }];

async function kept(run: RunRecord): Promise<{ log: string; archive: string }> {
  const files = runFilesIn(dataDir);
  const [log, archive] = [await files.log(run), await files.archive(run)];
  return { log: log ? await text(log) : "", archive: archive ? await text(archive) : "" };
}

it("has nothing for a new run of what a run with its number left before the restore", async () => {
  const backup = join(folder.path, "backup.db");
  await repository.backup(backup);
  const lost = await startFullRun(service!, "lost");
  await stop();
  for (const end of ["", "-wal", "-shm"])
    await rm(join(dataDir, `plimsoll.db${end}`), { force: true });
  await copyFile(backup, join(dataDir, "plimsoll.db"));

  let live = await start();
  const journal = `${runFileName(lost)}.journal.unknown`;
  expect(await readdir(join(dataDir, "journals"))).toContain(journal);
  expect(notices.filter((notice) => notice.includes(journal.slice(0, -8)))).toHaveLength(1);
  const { run } = await live.start(startRun);
  expect(run.id).toBe(lost.id);
  expect(await kept(run)).toEqual({ log: "", archive: "" });
  // Neither has what was lost been removed with it, nor does it count.
  expect(await push(live, run.id, "lost")).toBe("stored");
  await stop();
  live = await start();
  expect((await live.end(run.id, { state: "finished" }))?.summary).toEqual(twoRequests);
  await runFilesIn(dataDir).remove(run);
  expect(await kept(lost)).toEqual({ log: expect.stringContaining("lost"), archive: "lost" });
});

it("does not take a journal for that of a run which another server made with its number since", async () => {
  const lost = await startFullRun(service!, "lost");
  await stop();
  const name = `${runFileName(lost)}.journal`;
  repository = await openRepository({ dataDir, clock: systemClock });
  await repository.delete(lost.id);
  await repository[Symbol.asyncDispose]();
  // What the database gives after a restore.
  const database = await openRepository({ dataDir, clock: systemClock });
  const test = await database.ensureTest(1, "other", 1);
  const other = await database.create(newRun(test.id, "other-1", { serverId: "other" }));
  await database[Symbol.asyncDispose]();
  await rename(
    join(dataDir, "journals", name),
    join(dataDir, "journals", name.replace(`${lost.id}-`, `${other.id}-`)),
  );

  const live = await start();
  expect((await repository.ownerOf(other.id))?.id).toBe("other");
  expect((await readdir(join(dataDir, "journals"))).filter((one) => one !== "lock")).toEqual([
    `${name.replace(`${lost.id}-`, `${other.id}-`)}.unknown`,
  ]);
  expect(live.outputs).toEqual([]);
});

it("does not start with another database, and touches nothing; nor loses anything by it", async () => {
  const run = await startFullRun(service!, "kept");
  await stop();
  const path = join(dataDir, "plimsoll.db");
  await rename(path, `${path}.away`);
  await expect(start()).rejects.toThrow(DatabaseError);
  await stop();
  await rm(path);
  await rename(`${path}.away`, path);
  const live = await start();
  expect((await live.end(run.id, { state: "finished" }))?.summary).toEqual(twoRequests);
  expect(notices).toEqual([]);
});

it("takes up the runs, logs and archives of a data directory from before servers had a name", async () => {
  const run = await startFullRun(service!, "old");
  await stop();
  await rm(join(dataDir, "server.json"));
  for (const folder of ["journals", "logs", "archives"]) {
    for (const name of await readdir(join(dataDir, folder))) {
      const numbered = name.replace(runFileName(run), String(run.id));
      await rename(join(dataDir, folder, name), join(dataDir, folder, numbered));
    }
  }
  await writeFile(join(dataDir, "logs", "999.jsonl"), "somebody's");

  const live = await start();
  expect((await repository.ownerOf(run.id))?.id).toBe(live.serverId);
  expect(await kept(run)).toEqual({ log: expect.stringContaining("old"), archive: "old" });
  expect(await readFile(join(dataDir, "logs", "999.jsonl"), "utf8")).toBe("somebody's");
  expect((await live.end(run.id, { state: "finished" }))?.summary).toEqual(twoRequests);
  expect(notices).toEqual([]);
});

/** Several processes on one database, processes that are killed, and embedded databases that cannot be used. */
import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { DatabaseError, InputError } from "../../src/errors.ts";
import { openEmbedded } from "../../src/store/embedded.ts";
import { migrate } from "../../src/store/migrate.ts";
import { migrations } from "../../src/store/migrations.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import {
  createEmbedded,
  describeWithDatabases,
  newRun,
  type TestDatabase,
} from "../support/databases.ts";
import { seeded } from "../support/k6-run.ts";
import { startStoreProcess } from "../support/store-process.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

const nowMs = 1_700_000_000_000;

/** Makes runs without end, and says of each when it is kept. */
const writeRuns = (name: string, count: number) => `
  const test = await repository.ensureTest(1, "shared", ${nowMs});
  for (let at = 0; at < ${count}; at++) {
    const run = await repository.create({
      ...${JSON.stringify(newRun(0, ""))},
      testId: test.id,
      testid: "${name}-" + at,
      idempotencyKey: "key-" + at,
      tags: { by: "${name}" },
    });
    await repository.enter(run.id, { state: "running", atMs: at, by: "${name}" });
    say(run.id + " " + run.testid);
  }`;

/** The database itself. */
async function openTables({ options: { databaseUrl, dataDir } }: TestDatabase) {
  return databaseUrl === undefined
    ? await openEmbedded(dataDir, systemClock)
    : await openPostgres(databaseUrl);
}

describeWithDatabases((createDatabase) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase();
  });
  afterEach(async () => {
    await database[Symbol.asyncDispose]();
  });

  it("lets processes that start at once make the tables once, and takes what all of them write", async () => {
    const names = ["a", "b", "c"];
    const processes = await Promise.all(
      names.map((name) => startStoreProcess(database, writeRuns(name, 40))),
    );
    for (const process of processes) process.begin();
    await Promise.all(processes.map(({ ended }) => ended));
    await using repository = await database.open();
    // Each key has made one run, whoever came first, and everybody got that one.
    const { runs, total } = await repository.list({}, { limit: 1_000 });
    expect(total).toBe(40);
    const lines = runs.map(({ id, testid }) => `${id} ${testid}`).toSorted();
    for (const process of processes) expect(process.lines.toSorted()).toEqual(lines);
    // Each of the three has asked for the state; one was first.
    for (const { id, state } of runs) {
      const { history = [] } = (await repository.run(id)) ?? {};
      expect(history.map(({ state }) => state)).toEqual(["created", "running"]);
      expect(state).toBe("running");
    }
    expect(await repository.tests(1)).toHaveLength(1);
    expect(await repository.projects()).toHaveLength(1);
  });

  it("changes nothing in a database of a newer version, and says so", async () => {
    const repository = await database.open();
    await repository[Symbol.asyncDispose]();
    await database.query("update plimsoll_schema set version = 99");
    await expect(database.open()).rejects.toThrow(DatabaseError);
    await expect(database.open()).rejects.toThrow(
      /^the database ".*" has version 99 of the tables, made by a newer Plimsoll; this one knows \d+: start the newer/,
    );
    expect(await database.query("select version from plimsoll_schema")).toEqual([{ version: 99 }]);
    expect(await database.query("select name from projects")).toEqual([{ name: "Default" }]);
  });

  it("keeps the runs of a database in which a server was its address, and names both", async () => {
    const old = await openTables(database);
    const context = { kind: database.kind, name: old.name, nowMs };
    await migrate(old.db, context, migrations.slice(0, 1));
    await old.close();
    await database.query(
      "insert into tests (project_id, name, created_ms, updated_ms) values (1, 'a', 1, 1)",
    );
    const columns =
      "test_id, testid, owner_url, state, source, generator, started_by, token_hash, created_ms, has_late_data";
    const more =
      "archive_bytes, log_lines, search_name, search_note, note, history, thresholds, tags, summary, stores, options";
    const rows = [
      ["old", "http://a:1"],
      ["older", "http://a:1"],
      ["local", ""],
    ].map(
      ([testid, url]) =>
        `(1, '${testid}', '${url}', 'running', 'api', 'k6', 'ann', '', 1, 0, 0, 0, '', '', '', '[]', '[]', '{}', '[]', '[]', '{}')`,
    );
    await database.query(`insert into runs (${columns}, ${more}) values ${rows.join(", ")}`);
    await using repository = await database.open();
    expect(await repository.databaseId()).toMatch(/^[0-9a-f]{32}$/);
    const known = { id: "http://a:1", url: "http://a:1", seenMs: 0 };
    expect(await repository.servers()).toEqual([known]);
    const open = await repository.openRuns(known.id);
    expect(open.map(({ testid }) => testid)).toEqual(["old", "older"]);
    expect(await repository.ownerOf(open[0]?.id ?? 0)).toEqual(known);
    expect((await repository.openRuns("")).map(({ testid }) => testid)).toEqual(["local"]);
  });

  it("applies the steps that are missing, and all of them or none", async () => {
    const first = await database.open();
    await first.ensureTest(1, "kept", nowMs);
    await first[Symbol.asyncDispose]();
    const opened = await openTables(database);
    const { db, name } = opened;
    const context = { kind: database.kind, name, nowMs };
    try {
      const good = () => ["create table more (n integer)", "insert into more values (5)"];
      const bad = () => ["insert into more values (6)", "insert into nowhere values (1)"];
      await expect(migrate(db, context, [...migrations, good, bad])).rejects.toThrow("nowhere");
      await expect(database.query("select * from more")).rejects.toThrow("more");
      await migrate(db, context, [...migrations, good]);
      await migrate(db, context, [...migrations, good]);
      expect(await database.query("select n from more")).toEqual([{ n: 5 }]);
      expect(await database.query("select name from tests")).toEqual([{ name: "kept" }]);
      await expect(migrate(db, context, migrations)).rejects.toThrow("made by a newer Plimsoll");
    } finally {
      await opened.close();
    }
  });
});

describe("a process that writes to the embedded database and is killed", () => {
  it("has kept all that was acknowledged, whenever that is", { timeout: 120_000 }, async () => {
    await using database = await createEmbedded();
    const random = seeded(5);
    const acknowledged: string[] = [];
    for (let round = 0; round < 10; round++) {
      const name = `round-${round}`;
      const writer = await startStoreProcess(
        database,
        writeRuns(name, 100_000).replace('"key-"', `"${name}-key-"`),
      );
      writer.begin();
      while (writer.lines.length === 0) await writer.nextLine();
      await delay(random() * 60);
      writer.kill();
      await writer.ended;
      acknowledged.push(...writer.lines);
      const check = await database.query("pragma integrity_check");
      expect(check).toEqual([{ integrity_check: "ok" }]);
    }
    await using repository = await database.open();
    expect(acknowledged.length).toBeGreaterThan(10);
    for (const line of acknowledged) {
      const [id, testid] = line.split(" ");
      const run = await repository.run(Number(id));
      expect(run).toMatchObject({ testid, state: "running" });
      expect(run?.history).toHaveLength(2);
    }
    // One at most of each process was kept and not yet acknowledged.
    const { total } = await repository.list({}, {});
    expect(total).toBeLessThanOrEqual(acknowledged.length + 10);
  });
});

describe("the embedded database", () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = await createTemporaryFolder();
  });
  afterEach(async () => {
    await folder[Symbol.asyncDispose]();
  });

  const open = (dataDir: string) => openRepository({ dataDir, clock: systemClock });

  it("is its owner's alone", async () => {
    const dataDir = join(folder.path, "a", "b");
    await using repository = await open(dataDir);
    await repository.ensureTest(1, "a", nowMs);
    await repository.backup(join(dataDir, "backup.db"));
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    const files = await readdir(dataDir);
    expect(files.toSorted()).toEqual([
      "backup.db",
      "plimsoll.db",
      "plimsoll.db-shm",
      "plimsoll.db-wal",
    ]);
    for (const file of files) expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
  });

  it("is whole in its one file when it was closed", async () => {
    const repository = await open(folder.path);
    await repository.ensureTest(1, "a", nowMs);
    await repository[Symbol.asyncDispose]();
    const wal = await stat(join(folder.path, "plimsoll.db-wal")).catch(() => ({ size: 0 }));
    expect(wal.size).toBe(0);
  });

  it("is copied while it is written to, to a file that is a database by itself", async () => {
    await using repository = await open(join(folder.path, "data"));
    const { id } = await repository.ensureTest(1, "checkout", nowMs);
    await repository.create(newRun(id, "before"));
    const copy = join(folder.path, "copy", "plimsoll.db");
    await mkdir(join(folder.path, "copy"));
    const backup = repository.backup(copy);
    await Promise.all([backup, repository.create(newRun(id, "meanwhile"))]);
    await repository.create(newRun(id, "after"));
    expect(await readdir(join(folder.path, "copy"))).toEqual(["plimsoll.db"]);
    await using copied = await open(join(folder.path, "copy"));
    expect(await copied.runByTestid("before")).toMatchObject({ test: "checkout" });
    expect(await copied.databaseId()).toBe(await repository.databaseId());
    expect(await copied.runByTestid("after")).toBeUndefined();
  });

  it("is not copied over a file that is there, or to where there is no folder", async () => {
    await using repository = await open(folder.path);
    const file = join(folder.path, "there");
    await writeFile(file, "");
    await expect(repository.backup(file)).rejects.toThrow(InputError);
    await expect(repository.backup(file)).rejects.toThrow("there is a file already");
    await expect(repository.backup(join(folder.path, "no", "x"))).rejects.toThrow(
      /^cannot write .*ENOENT/,
    );
  });

  it("says what to do where the folder cannot be used", async () => {
    const file = join(folder.path, "file");
    await writeFile(file, "");
    await expect(open(join(file, "data"))).rejects.toThrow(DatabaseError);
    await expect(open(join(file, "data"))).rejects.toThrow(
      /^the database ".*plimsoll.db" cannot be written \(ENOTDIR\): give this user the folder, or name another data/,
    );
  });

  it("says what to do where the file is something else, and leaves it as it is", async () => {
    const file = join(folder.path, "plimsoll.db");
    await writeFile(file, "this is no database\n".repeat(100));
    await chmod(file, 0o600);
    await expect(open(folder.path)).rejects.toThrow(
      /^the database ".*" cannot be opened: file is not a database; move the file away/,
    );
    expect((await stat(file)).size).toBe(2_000);
  });

  it("keeps what is written after another process has held the lock for too long", async () => {
    await using repository = await open(folder.path);
    const path = join(folder.path, "plimsoll.db");
    const other = new Libsql(path);
    other.exec("begin immediate");
    const run = repository.enter(1, { state: "running", atMs: nowMs });
    await expect(run).rejects.toThrow("database is locked");
    other.exec("rollback");
    await repository.createToken({ name: "ci", role: "push", hash: "a", createdMs: nowMs });
    expect(other.prepare("select hash from tokens").all([])).toEqual([{ hash: "a" }]);
    // And sees what the other one writes.
    other.exec("update tokens set name = 'changed'");
    expect(await repository.tokenByHash("a")).toMatchObject({ name: "changed" });
    other.close();
  });
});

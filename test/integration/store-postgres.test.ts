/** Postgres as the store of runs: connections that break, hang or are left in a transaction, and URLs that lead nowhere. */
import { sql } from "kysely";
import { Client } from "pg";
import { expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { DatabaseError } from "../../src/errors.ts";
import { openRepository } from "../../src/store/open-repository.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { newRun } from "../support/databases.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const nowMs = 1_700_000_000_000;

describeWithPostgres("Postgres", (postgres) => {
  const open = (databaseUrl: string, isImpatient = false) =>
    openRepository({ databaseUrl, dataDir: "/nonexistent", clock: systemClock, isImpatient });

  it("is left to pg_dump", async () => {
    await using repository = await open(postgres().url);
    await expect(repository.backup("x")).rejects.toThrow(
      "a backup of Postgres is made with pg_dump",
    );
  });

  it("goes on with other connections when its own were cut", async () => {
    await using repository = await open(postgres().url);
    const { id } = await repository.ensureTest(1, "a", nowMs);
    const client = new Client({ connectionString: postgres().url });
    await client.connect();
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'plimsoll' and pid <> pg_backend_pid()`,
    );
    await client.end();
    expect(rowCount).toBeGreaterThan(0);
    // A query that was under way, or that took a connection before it was known to be cut, fails.
    await expect
      .poll(() => repository.test(id).catch(() => undefined), { timeout: 10_000 })
      .toMatchObject({ name: "a" });
  });

  it("goes on when the database is gone in the middle of a question, and comes back", async () => {
    const server = new URL(postgres().url);
    await using proxy = await startTcpProxy(() => `http://${server.host}`);
    const url = Object.assign(new URL(server), { host: new URL(proxy.url).host });
    await using repository = await open(url.href);
    const { id } = await repository.ensureTest(1, "a", nowMs);
    const client = new Client({ connectionString: server.href });
    await client.connect();
    await client.query("begin");
    await client.query("lock table tests");
    const question = repository.test(id).catch((error: unknown) => error);
    const waiting =
      "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'";
    await expect
      .poll(async () => (await client.query<{ n: number }>(waiting)).rows[0]?.n, {
        timeout: 10_000,
      })
      .toBeGreaterThan(0);
    await proxy.refuse();
    expect(await question).toBeInstanceOf(Error);
    await client.end();
    await proxy.comeBack();
    await expect
      .poll(() => repository.test(id).catch(() => undefined), { timeout: 10_000 })
      .toMatchObject({ name: "a" });
  });

  it("keeps what is written after a transaction that Postgres held up until it was given up", async () => {
    await using repository = await open(postgres().url, true);
    const test = await repository.ensureTest(1, "held up", nowMs);
    const { id } = await repository.create(newRun(test.id, "held-up"));
    const other = new Client({ connectionString: postgres().url });
    await other.connect();
    try {
      await other.query("begin");
      await other.query("select id from runs where id = $1 for update", [id]);
      // Its rollback waits behind it, and is given up as well.
      const entering = repository.enter(id, { state: "running", atMs: nowMs });
      await expect(entering).rejects.toThrow("timeout");
      await other.query("rollback");
      await repository.ensureTest(1, "written later", nowMs);
      const { rows } = await other.query("select id from tests where name = 'written later'");
      expect(rows).toHaveLength(1);
      // What was given up holds no lock.
      const entered = await repository.enter(id, { state: "running", atMs: nowMs });
      expect(entered?.state).toBe("running");
    } finally {
      await other.end();
    }
  });

  it("keeps what is written after somebody has given back a connection with its transaction open", async () => {
    await using repository = await open(postgres().url);
    const opened = await openPostgres(postgres().url);
    await sql`begin`.execute(opened.db);
    await sql`insert into tests (project_id, name, created_ms, updated_ms)
      values (1, 'left open', 1, 1)`.execute(opened.db);
    await opened.close();
    expect(await repository.tests(1, "left open")).toHaveLength(1);
  });

  it("is asked through another connection when one of its own has gone dead without a word", async () => {
    const server = new URL(postgres().url);
    await using proxy = await startTcpProxy(() => `http://${server.host}`);
    const url = Object.assign(new URL(server), { host: new URL(proxy.url).host });
    await using repository = await open(url.href, true);
    const { id } = await repository.ensureTest(1, "a", nowMs);
    proxy.stall();
    await expect(repository.test(id)).rejects.toThrow("timeout");
    proxy.forget();
    expect(await repository.test(id)).toMatchObject({ name: "a" });
  });

  it.each([
    ["nobody listens", { port: "1" }, /ECONNREFUSED.*check that Postgres runs there/],
    ["the password is wrong", { password: "secret" }, /password .*check user and password/],
    ["there is no such database", { pathname: "/nothing" }, /"nothing".*createdb/],
  ])("says what to do where %s, and keeps the password to itself", async (_what, wrong, reason) => {
    const url = Object.assign(new URL(postgres().url), wrong);
    const error: unknown = await open(url.href).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(String(error)).toMatch(
      /the database "postgres:\/\/127\.0\.0\.1:\d+\/\w+" cannot be used: /,
    );
    expect(String(error)).toMatch(reason);
    expect(String(error)).not.toContain(url.password);
  });

  it.each(["mysql://h/d", "postgres", "file:plimsoll.db", ""])(
    "is not what %j names",
    async (url) => {
      await expect(open(url)).rejects.toThrow(
        "expected postgres://user:password@host:port/database",
      );
    },
  );
});

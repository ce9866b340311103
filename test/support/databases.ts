/**
 * Databases for tests of the repository: the same tests on each kind, a new and empty one whenever it is asked for.
 */
import { join } from "node:path";
import Libsql from "libsql";
import { Client } from "pg";
import { describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { NewRun, RunRepository } from "../../src/runs/run-repository.ts";
import { openRepository, type RepositoryOptions } from "../../src/store/open-repository.ts";
import type { DatabaseKind } from "../../src/store/schema.ts";
import { describeWithPostgres } from "./postgres.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly kind: DatabaseKind;
  /** Of `openRepository`, but for the clock: they can be told to another process. */
  readonly options: Omit<RepositoryOptions, "clock">;
  open(): Promise<RunRepository>;
  /** Past the repository. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Runs `body` for each kind of database. */
export function describeWithDatabases(body: (create: () => Promise<TestDatabase>) => void): void {
  describe("on embedded libSQL", () => body(createEmbedded));
  describeWithPostgres("on Postgres", (postgres) => body(() => createInPostgres(postgres().url)));
}

export async function createEmbedded(): Promise<TestDatabase> {
  const folder = await createTemporaryFolder();
  const options = { dataDir: join(folder.path, "data") };
  return {
    kind: "sqlite",
    options,
    open: () => openRepository({ ...options, clock: systemClock }),
    async query(text) {
      const database = new Libsql(join(options.dataDir, "plimsoll.db"));
      try {
        const statement = database.prepare(text);
        if (statement.reader) return statement.all([]) as Record<string, unknown>[];
        statement.run([]);
        return [];
      } finally {
        database.close();
      }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

let created = 0;

async function createInPostgres(serverUrl: string): Promise<TestDatabase> {
  // A schema for each: its user may not create databases.
  const schema = `test${++created}`;
  await query(serverUrl, `create schema ${schema}`);
  const url = new URL(serverUrl);
  url.searchParams.set("options", `-c search_path=${schema}`);
  const options = { databaseUrl: url.href, dataDir: "/nonexistent" };
  return {
    kind: "postgres",
    options,
    open: () => openRepository({ ...options, clock: systemClock }),
    query: (text) => query(url.href, text),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function query(connectionString: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A run of the test of this id, with nothing special about it. */
export function newRun(testId: number, testid: string, more: Partial<NewRun> = {}): NewRun {
  return {
    testId,
    testid,
    source: "cloud-v1",
    generator: "k6/2.1.0",
    startedBy: "ci",
    options: null,
    maxVus: undefined,
    expectedSeconds: undefined,
    thresholds: [],
    tags: {},
    note: "",
    createdMs: 1_700_000_000_000,
    tokenHash: "hash",
    idempotencyKey: "",
    serverId: "server-1",
    ...more,
  };
}

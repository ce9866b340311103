/**
 * The `RunRepository` in SQL that both databases understand.
 *
 * Each method is one statement, or a transaction that locks what it decides on.
 */
import type { Kysely } from "kysely";
import type { RunRecord, RunResult, Transition } from "../runs/run-record.ts";
import type {
  ApiToken,
  NewApiToken,
  NewRun,
  NewShare,
  Page,
  Project,
  RunChanges,
  RunFilter,
  RunList,
  RunRepository,
  RunServer,
  TagWithValues,
  RunShare,
  Test,
  TestWithRuns,
} from "../runs/run-repository.ts";
import { runStates, type RunState } from "../runs/run-state.ts";
import { canEnter, isOver } from "../runs/transitions.ts";
import { InputError } from "../errors.ts";
import { listRuns, tagsOfRuns, testsWithRuns } from "./list-runs.ts";
import {
  selectRuns,
  toProject,
  toRecord,
  toRow,
  toServer,
  toTest,
  toToken,
  toUpdate,
  toUserKey,
} from "./rows.ts";
import type { DatabaseKind, Schema } from "./schema.ts";
import { createShare, deleteShare, shareByHash, sharesOf } from "./shares.ts";

/** Of what has an index: an entry of Postgres' holds 2 704 bytes. */
const maxIndexedBytes = 1_000;

export interface SqlDatabase {
  readonly db: Kysely<Schema>;
  readonly kind: DatabaseKind;
  /** @throws InputError */
  readonly backup: (path: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

export class SqlRepository implements RunRepository {
  readonly #db: Kysely<Schema>;
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#db = database.db;
    this.#database = database;
  }

  async databaseId(): Promise<string> {
    const select = this.#db.selectFrom("database_identity").select("id");
    return (await select.executeTakeFirstOrThrow()).id;
  }

  async projects(): Promise<Project[]> {
    return (await this.#db.selectFrom("projects").selectAll().orderBy("id").execute()).map(
      toProject,
    );
  }

  async ensureProject(id: number, nowMs: number): Promise<Project> {
    await this.#db
      .insertInto("projects")
      .values({ id, name: `Project ${id}`, is_default: 0, created_ms: nowMs })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
    const select = this.#db.selectFrom("projects").selectAll().where("id", "=", id);
    return toProject(await select.executeTakeFirstOrThrow());
  }

  async tests(projectId: number, name?: string): Promise<Test[]> {
    let select = this.#db.selectFrom("tests").selectAll().where("project_id", "=", projectId);
    if (name !== undefined) select = select.where("name", "=", name);
    return (await select.orderBy("name").execute()).map(toTest);
  }

  async test(id: number): Promise<Test | undefined> {
    const select = this.#db.selectFrom("tests").selectAll().where("id", "=", id);
    const row = await select.executeTakeFirst();
    return row && toTest(row);
  }

  async ensureTest(projectId: number, name: string, nowMs: number): Promise<Test> {
    assertFits({ "the test's name": name });
    // Looked for first: an insert that conflicts takes an id with it.
    const [found] = await this.tests(projectId, name);
    if (found) return found;
    await this.#db
      .insertInto("tests")
      .values({ project_id: projectId, name, created_ms: nowMs, updated_ms: nowMs })
      .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
      .execute();
    const [made] = await this.tests(projectId, name);
    if (!made) throw new Error(`test ${JSON.stringify(name)} was deleted while it was made`);
    return made;
  }

  async create(run: NewRun): Promise<RunRecord> {
    const { testid, idempotencyKey, serverId, tags } = run;
    assertFits({ testid, "the idempotency key": idempotencyKey, "the server's id": serverId });
    for (const tag of Object.keys(tags)) assertFits({ "a tag's name": tag });
    return await this.#db.transaction().execute(async (db) => {
      // Locks the test, so that of two requests with one key the second finds the run of the first.
      const test = await db
        .updateTable("tests")
        .set({ updated_ms: run.createdMs })
        .where("id", "=", run.testId)
        .returning("name")
        .executeTakeFirst();
      if (!test) throw new InputError(`cannot make a run of test ${run.testId}: there is none`);
      if (idempotencyKey !== "") {
        const made = await db
          .updateTable("runs")
          .set({ token_hash: run.tokenHash })
          .where("test_id", "=", run.testId)
          .where("idempotency_key", "=", toUserKey(run))
          .returning("id")
          .executeTakeFirst();
        if (made) return await readRun(db, made.id);
      }
      const row = await db
        .insertInto("runs")
        .values(toRow(run, test.name))
        .onConflict((conflict) => conflict.column("testid").doNothing())
        .returning("id")
        .executeTakeFirst();
      if (!row) {
        throw new InputError(
          `cannot make a run ${JSON.stringify(testid)}: there is one; give it another testid`,
        );
      }
      const tagRows = Object.entries(tags).map(([tag, value]) => ({ run_id: row.id, tag, value }));
      if (tagRows.length > 0) await db.insertInto("run_tags").values(tagRows).execute();
      return await readRun(db, row.id);
    });
  }

  async run(id: number): Promise<RunRecord | undefined> {
    const row = await selectRuns(this.#db).where("runs.id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async runByTestid(testid: string): Promise<RunRecord | undefined> {
    const row = await selectRuns(this.#db).where("runs.testid", "=", testid).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(filter: RunFilter, page: Page): Promise<RunList> {
    return await listRuns(this.#db, this.#database.kind, filter, page);
  }

  async testsWithRuns(): Promise<TestWithRuns[]> {
    return await testsWithRuns(this.#db);
  }

  async tags(): Promise<TagWithValues[]> {
    return await tagsOfRuns(this.#db);
  }

  async openRuns(serverId: string): Promise<RunRecord[]> {
    const open = runStates.filter((state) => !isOver(state));
    const select = selectRuns(this.#db)
      .where("runs.server_id", "=", serverId)
      .where("runs.state", "in", open);
    return (await select.orderBy("runs.id").execute()).map(toRecord);
  }

  async tokenHash(id: number): Promise<string | undefined> {
    const select = this.#db.selectFrom("runs").select("token_hash").where("id", "=", id);
    return (await select.executeTakeFirst())?.token_hash;
  }

  async runIdByTokenHash(hash: string): Promise<number | undefined> {
    const select = this.#db.selectFrom("runs").select("id").where("token_hash", "=", hash);
    return (await select.executeTakeFirst())?.id;
  }

  async ownerOf(id: number): Promise<RunServer | undefined> {
    const row = await this.#db
      .selectFrom("runs")
      .leftJoin("servers", "servers.id", "runs.server_id")
      .select(["runs.server_id", "servers.url", "servers.seen_ms"])
      .where("runs.id", "=", id)
      .executeTakeFirst();
    if (!row || row.server_id === "") return undefined;
    return { id: row.server_id, url: row.url ?? "", seenMs: row.seen_ms ?? 0 };
  }

  async handOver(id: number, serverId: string): Promise<void> {
    await this.#db.updateTable("runs").set({ server_id: serverId }).where("id", "=", id).execute();
  }

  async change(id: number, changes: RunChanges): Promise<RunRecord | undefined> {
    const update = toUpdate(changes);
    if (Object.values(update).some((value) => value !== undefined)) {
      await this.#db.updateTable("runs").set(update).where("id", "=", id).execute();
    }
    return await this.run(id);
  }

  async enter(
    id: number,
    transition: Transition,
    result?: RunResult,
  ): Promise<RunRecord | undefined> {
    const { state, atMs } = transition;
    return await this.#db.transaction().execute(async (db) => {
      const now = await db
        .selectFrom("runs")
        .select(["state", "history"])
        .where("id", "=", id)
        // SQLite has no such lock and needs none: one transaction writes at a time.
        .$if(this.#database.kind === "postgres", (select) => select.forUpdate())
        .executeTakeFirst();
      if (!now) return undefined;
      if (canEnter(now.state as RunState, state)) {
        const history = [...(JSON.parse(now.history) as Transition[]), transition];
        await db
          .updateTable("runs")
          .set({
            state,
            history: JSON.stringify(history),
            ...(isOver(state) ? { ended_ms: atMs } : {}),
            ...(result === undefined ? {} : { result }),
          })
          .where("id", "=", id)
          .execute();
      }
      return await readRun(db, id);
    });
  }

  async delete(id: number): Promise<boolean> {
    const deleted = await this.#db.deleteFrom("runs").where("id", "=", id).executeTakeFirst();
    return deleted.numDeletedRows > 0n;
  }

  async saveServer({ id, url, seenMs }: RunServer): Promise<void> {
    assertFits({ "the server's id": id });
    await this.#db
      .insertInto("servers")
      .values({ id, url, seen_ms: seenMs })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ url, seen_ms: seenMs }))
      .execute();
  }

  async servers(): Promise<RunServer[]> {
    return (await this.#db.selectFrom("servers").selectAll().orderBy("id").execute()).map(toServer);
  }

  async tokens(): Promise<ApiToken[]> {
    return (await this.#db.selectFrom("tokens").selectAll().orderBy("id").execute()).map(toToken);
  }

  async createToken({ name, role, hash, createdMs }: NewApiToken): Promise<ApiToken> {
    const row = await this.#db
      .insertInto("tokens")
      .values({ name, role, hash, created_ms: createdMs, revoked_ms: null })
      // The same once more: what is there is given.
      .onConflict((conflict) => conflict.column("hash").doUpdateSet({ hash }))
      .returningAll()
      .executeTakeFirstOrThrow();
    return toToken(row);
  }

  async tokenByHash(hash: string): Promise<ApiToken | undefined> {
    const select = this.#db.selectFrom("tokens").selectAll().where("hash", "=", hash);
    const row = await select.where("revoked_ms", "is", null).executeTakeFirst();
    return row && toToken(row);
  }

  async revokeToken(id: number, nowMs: number): Promise<boolean> {
    const row = await this.#db
      .updateTable("tokens")
      .set((eb) => ({ revoked_ms: eb.fn.coalesce("revoked_ms", eb.val(nowMs)) }))
      .where("id", "=", id)
      .returning("id")
      .executeTakeFirst();
    return row !== undefined;
  }

  async createShare(share: NewShare): Promise<RunShare | undefined> {
    return await createShare(this.#db, this.#database.kind, share);
  }

  async shares(runId: number, nowMs: number): Promise<RunShare[]> {
    return await sharesOf(this.#db, runId, nowMs);
  }

  async shareByHash(hash: string, nowMs: number): Promise<RunShare | undefined> {
    return await shareByHash(this.#db, hash, nowMs);
  }

  async deleteShare(runId: number, id: number): Promise<boolean> {
    return await deleteShare(this.#db, runId, id);
  }

  async backup(path: string): Promise<void> {
    await this.#database.backup(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close();
  }
}

function assertFits(texts: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(texts)) {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxIndexedBytes) {
      throw new InputError(`${name} has ${bytes} bytes: expected at most ${maxIndexedBytes}`);
    }
  }
}

/** Of a run that is there for sure: this transaction has written it. */
async function readRun(db: Kysely<Schema>, id: number): Promise<RunRecord> {
  return toRecord(await selectRuns(db).where("runs.id", "=", id).executeTakeFirstOrThrow());
}

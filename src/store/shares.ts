/**
 * Links that show one run, in SQL: the part of the repository that is about them.
 */
import type { Kysely, Selectable } from "kysely";
import { InputError } from "../errors.ts";
import { maxSharesOfRun, type NewShare, type RunShare } from "../runs/run-repository.ts";
import type { DatabaseKind, Schema, ShareTable } from "./schema.ts";

export async function createShare(
  database: Kysely<Schema>,
  kind: DatabaseKind,
  { runId, createdBy, hash, createdMs, expiresMs }: NewShare,
): Promise<RunShare | undefined> {
  return await database.transaction().execute(async (db) => {
    const run = await db
      .selectFrom("runs")
      .select("id")
      .where("id", "=", runId)
      // So that two at once are counted one after the other. SQLite has one transaction at a time that writes.
      .$if(kind === "postgres", (select) => select.forUpdate())
      .executeTakeFirst();
    if (!run) return undefined;
    await db
      .deleteFrom("shares")
      .where("run_id", "=", runId)
      .where("expires_ms", "<=", createdMs)
      .execute();
    const { count } = await db
      .selectFrom("shares")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("run_id", "=", runId)
      .executeTakeFirstOrThrow();
    if (count >= maxSharesOfRun) {
      throw new InputError(`run ${runId} has ${maxSharesOfRun} links: revoke one of them first`);
    }
    const row = await db
      .insertInto("shares")
      .values({
        run_id: runId,
        created_by: createdBy,
        hash,
        created_ms: createdMs,
        expires_ms: expiresMs,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return toShare(row);
  });
}

export async function sharesOf(
  db: Kysely<Schema>,
  runId: number,
  nowMs: number,
): Promise<RunShare[]> {
  const select = db.selectFrom("shares").selectAll().where("run_id", "=", runId);
  return (await select.where("expires_ms", ">", nowMs).orderBy("id").execute()).map(toShare);
}

export async function shareByHash(
  db: Kysely<Schema>,
  hash: string,
  nowMs: number,
): Promise<RunShare | undefined> {
  const row = await db
    .selectFrom("shares")
    .selectAll()
    .where("hash", "=", hash)
    .where("expires_ms", ">", nowMs)
    // Who has no token any more shows nothing to others, either. Tokens of one name are one user's.
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("tokens")
          .select("tokens.id")
          .whereRef("tokens.name", "=", "shares.created_by")
          .where("tokens.revoked_ms", "is", null),
      ),
    )
    .executeTakeFirst();
  return row && toShare(row);
}

export async function deleteShare(db: Kysely<Schema>, runId: number, id: number): Promise<boolean> {
  const deleted = await db
    .deleteFrom("shares")
    .where("run_id", "=", runId)
    .where("id", "=", id)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

function toShare(row: Selectable<ShareTable>): RunShare {
  const { id, run_id, created_by, created_ms, expires_ms } = row;
  return {
    id,
    runId: run_id,
    createdBy: created_by,
    createdMs: created_ms,
    expiresMs: expires_ms,
  };
}

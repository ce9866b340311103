/**
 * Brings a database to the schema of this program: all steps that it lacks, or none.
 *
 * Two processes that start at once do not clash: the first has a lock until it has committed, and the second finds
 * nothing left to do.
 */
import { sql, type Kysely } from "kysely";
import { DatabaseError } from "../errors.ts";
import type { Migration } from "./migrations.ts";
import type { DatabaseKind, Schema } from "./schema.ts";

/** Of an advisory lock, which every program on a Postgres shares: "plimsoll" in a telephone's letters. */
const lockKey = 75_467_655;

/**
 * @param name The database in words, for the message.
 * @throws DatabaseError for a database that a newer program has changed
 */
export async function migrate(
  db: Kysely<Schema>,
  { kind, name, nowMs }: { kind: DatabaseKind; name: string; nowMs: number },
  migrations: readonly Migration[],
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // In SQLite a transaction has the lock from its beginning.
    if (kind === "postgres")
      await sql`select pg_advisory_xact_lock(${lockKey})`.execute(transaction);
    await transaction.schema
      .createTable("plimsoll_schema")
      .ifNotExists()
      .addColumn("version", "integer", (column) => column.notNull())
      .execute();
    const found = await transaction
      .selectFrom("plimsoll_schema")
      .select("version")
      .executeTakeFirst();
    const version = found?.version ?? 0;
    if (version > migrations.length) {
      throw new DatabaseError(
        `${name} has version ${version} of the tables, made by a newer Plimsoll; this one knows ` +
          `${migrations.length}: start the newer one, or name another database; nothing was changed`,
      );
    }
    for (const step of migrations.slice(version)) {
      for (const statement of step({ kind, nowMs })) await sql.raw(statement).execute(transaction);
    }
    if (found === undefined) {
      await transaction
        .insertInto("plimsoll_schema")
        .values({ version: migrations.length })
        .execute();
    } else if (version < migrations.length) {
      await transaction
        .updateTable("plimsoll_schema")
        .set({ version: migrations.length })
        .execute();
    }
  });
}

/**
 * Opens the repository of runs: embedded in the data directory, or in Postgres where a URL is given.
 *
 * Out: a `RunRepository` whose tables are those of this program. Closing it is the caller's.
 */
import type { Clock } from "../clock.ts";
import { InputError } from "../errors.ts";
import type { RunRepository } from "../runs/run-repository.ts";
import { openEmbedded } from "./embedded.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations.ts";
import { openPostgres } from "./postgres.ts";
import { SqlRepository, type SqlDatabase } from "./sql-repository.ts";

export interface RepositoryOptions {
  /** `postgres://user:password@host:port/database`. Default: embedded. */
  readonly databaseUrl?: string | undefined;
  /** Where `plimsoll.db` is; made where it is missing. Not touched with a `databaseUrl`. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** For who has better to do than to wait: a lock, or a Postgres that hangs, fails soon. Default false. */
  readonly isImpatient?: boolean;
}

/** @throws DatabaseError that says what to do */
export async function openRepository(options: RepositoryOptions): Promise<RunRepository> {
  const database = await openDatabase(options);
  try {
    const { kind, name } = database;
    await migrate(database.db, { kind, name, nowMs: options.clock.nowMs() }, migrations);
  } catch (error) {
    await database.close();
    throw error;
  }
  return new SqlRepository(database);
}

async function openDatabase({
  databaseUrl,
  dataDir,
  clock,
  isImpatient,
}: RepositoryOptions): Promise<SqlDatabase & { readonly name: string }> {
  if (databaseUrl === undefined) {
    return { kind: "sqlite", ...(await openEmbedded(dataDir, clock, isImpatient)) };
  }
  const backup = () =>
    Promise.reject(new InputError("a backup of Postgres is made with pg_dump, not by Plimsoll"));
  return { kind: "postgres", ...(await openPostgres(databaseUrl, isImpatient)), backup };
}

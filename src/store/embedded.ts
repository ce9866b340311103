/**
 * The embedded database: libSQL, one file `plimsoll.db` in the data directory.
 *
 * Every transaction is on the disk when it is acknowledged (write-ahead log, `synchronous=FULL`), and several processes
 * may have the file open at once.
 */
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  CompiledQuery,
  Kysely,
  sql,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Driver,
  type SqliteDatabase,
  type SqliteStatement,
} from "kysely";
import Libsql from "libsql";
import type { Clock } from "../clock.ts";
import { DatabaseError, InputError, messageOf, systemErrorCode } from "../errors.ts";
import { bindableValues } from "./bindable.ts";
import type { Schema } from "./schema.ts";

/** How long one process waits for another's transaction; ours take milliseconds. It waits without doing anything else. */
const busyTimeoutMs = { patient: 5_000, impatient: 10 };

/** Between two tries to change to the write-ahead log, for which SQLite does not wait by itself. */
const retryMs = 20;

export interface EmbeddedDatabase {
  readonly db: Kysely<Schema>;
  readonly name: string;
  backup(path: string): Promise<void>;
  close(): Promise<void>;
}

/** @throws DatabaseError for a folder or a file that cannot be used */
export async function openEmbedded(
  dataDir: string,
  clock: Clock,
  isImpatient = false,
): Promise<EmbeddedDatabase> {
  const timeoutMs = busyTimeoutMs[isImpatient ? "impatient" : "patient"];
  const path = join(dataDir, "plimsoll.db");
  const name = `the database ${JSON.stringify(path)}`;
  await createFile(dataDir, path, name);
  const connection = await connect(path, name, clock, timeoutMs);
  const db = new Kysely<Schema>({
    dialect: new ImmediateDialect(connection),
    plugins: [bindableValues],
  });
  return {
    db,
    name,
    backup: (target) => backup(db, target),
    async close() {
      // So that the file is whole by itself. Where another process reads, it is that one's to do.
      connection.prepare("pragma wal_checkpoint(truncate)").all([]);
      await db.destroy();
    },
  };
}

async function createFile(dataDir: string, path: string, name: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    // SQLite gives its other files the mode of this one.
    await (await open(path, "a", 0o600)).close();
  } catch (error) {
    throw new DatabaseError(
      `${name} cannot be written (${systemErrorCode(error) ?? messageOf(error)}): ` +
        "give this user the folder, or name another data directory",
      { cause: error },
    );
  }
}

async function connect(
  path: string,
  name: string,
  clock: Clock,
  timeoutMs: number,
): Promise<Connection> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  for (;;) {
    try {
      return new Connection(path, timeoutMs);
    } catch (error) {
      if (!isBusy(error)) {
        throw new DatabaseError(
          `${name} cannot be opened: ${messageOf(error)}; move the file away to begin with an empty one, or put a ` +
            "backup in its place",
          { cause: error },
        );
      }
      if (clock.nowMs() >= deadlineMs) {
        throw new DatabaseError(`${name} is locked by another process: end it, or try again`, {
          cause: error,
        });
      }
    }
    await clock.sleep(retryMs);
  }
}

/**
 * A statement that met a lock stays active in libsql 0.5, and what is written after it is not committed until the
 * garbage collector finds it. So the connection is left to it, and another one opened.
 */
class Connection implements SqliteDatabase {
  readonly #path: string;
  readonly #timeoutMs: number;
  #database: Libsql.Database;

  constructor(path: string, timeoutMs: number) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#database = openLibsql(path, timeoutMs);
  }

  prepare(text: string): SqliteStatement {
    const statement = this.#database.prepare(text);
    const renewIfBusy = <T>(run: () => T): T => {
      try {
        return run();
      } catch (error) {
        if (isBusy(error)) this.#renew();
        throw error;
      }
    };
    return {
      reader: statement.reader,
      all: (values) => renewIfBusy(() => statement.all(values)),
      run: (values) => renewIfBusy(() => statement.run(values)),
      iterate: (values) => statement.iterate(values),
    };
  }

  #renew(): void {
    const stuck = this.#database;
    this.#database = openLibsql(this.#path, this.#timeoutMs);
    stuck.close();
  }

  close(): void {
    this.#database.close();
  }
}

function openLibsql(path: string, timeoutMs: number): Libsql.Database {
  const database = new Libsql(path, { timeout: timeoutMs });
  for (const pragma of ["journal_mode = wal", "synchronous = full", "foreign_keys = on"]) {
    database.exec(`pragma ${pragma}`);
  }
  return database;
}

function isBusy(error: unknown): boolean {
  return systemErrorCode(error)?.startsWith("SQLITE_BUSY") ?? false;
}

class ImmediateDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    super({ database });
    this.#database = database;
  }

  override createDriver(): Driver {
    return new ImmediateDriver({ database: this.#database });
  }
}

/** A transaction that begins with a read and is overtaken by another process's write could never commit. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }
}

/** @throws InputError where there is a file already, or it cannot be written */
async function backup(db: Kysely<Schema>, path: string): Promise<void> {
  try {
    // SQLite writes into a file that is there if it is empty: this one is ours, and nobody else's to read.
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    const reason =
      systemErrorCode(error) === "EEXIST"
        ? "there is a file already; name one that does not exist"
        : messageOf(error);
    throw new InputError(`cannot write the backup ${JSON.stringify(path)}: ${reason}`, {
      cause: error,
    });
  }
  try {
    await sql`vacuum into ${path}`.execute(db);
    await using file = await open(path, "r+");
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw new InputError(
      `cannot write the backup ${JSON.stringify(path)}: ${messageOf(error)}; nothing of it is left`,
      { cause: error },
    );
  }
}

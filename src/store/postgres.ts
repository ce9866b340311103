/**
 * Postgres, by a URL: several servers may share it.
 *
 * In:  `postgres://user:password@host:port/database`, with the parameters that libpq has (`sslmode`).
 * Out: a pool of connections. One that breaks or gives no answer in time is replaced; the query on it fails. While Postgres
 * is started again, queries wait for a connection.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Kysely, PostgresDialect, type PostgresPoolClient } from "kysely";
import { DatabaseError as Refusal, Pool, type PoolClient, types } from "pg";
import { DatabaseError, messageOf, systemErrorCode } from "../errors.ts";
import { bindableValues } from "./bindable.ts";
import type { Schema } from "./schema.ts";

const connectTimeoutMs = { patient: 10_000, impatient: 2_000 };

/** Postgres starts again within seconds. k6 waits for an answer for a minute, and asks three times. */
const patienceMs = { patient: 10_000, impatient: 0 };
const retryMs = 200;

/** A query that has no answer by then has lost its server. */
const queryTimeoutMs = { patient: 30_000, impatient: 2_000 };

/** Postgres' own default allows 100 for all servers and programs together. */
const maxConnections = 10;

export interface PostgresDatabase {
  readonly db: Kysely<Schema>;
  /** In words, without the password. */
  readonly name: string;
  close(): Promise<void>;
}

/** @throws DatabaseError where no connection can be made */
export async function openPostgres(url: string, isImpatient = false): Promise<PostgresDatabase> {
  const patience = isImpatient ? "impatient" : "patient";
  const name = nameOf(url);
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs[patience],
    query_timeout: queryTimeoutMs[patience],
    // A connection that hangs keeps no process from its end.
    allowExitOnIdle: isImpatient,
    keepAlive: true,
    fallback_application_name: "plimsoll",
    types: { getTypeParser: numbersForIntegers },
  });
  // A connection that breaks ends the process otherwise. While nobody uses it, the pool says so, and makes another; while
  // somebody does, it does itself, beside the query that fails.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    (await pool.connect()).release();
  } catch (error) {
    await pool.end();
    throw new DatabaseError(`${name} cannot be used: ${reasonOf(error)}; ${adviceOn(error)}`, {
      cause: error,
    });
  }
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: {
        connect: async () => poolable(await connectPatiently(pool, patienceMs[patience])),
        end: async () => await pool.end(),
      },
    }),
    plugins: [bindableValues],
  });
  return { db, name, close: () => db.destroy() };
}

/** Nothing has been asked yet, so that it may be tried again. */
async function connectPatiently(pool: Pool, forMs: number): Promise<PoolClient> {
  const deadlineMs = performance.now() + forMs;
  for (;;) {
    try {
      return await pool.connect();
    } catch (error) {
      if (pool.ending || !isAway(error) || performance.now() >= deadlineMs) throw error;
    }
    await delay(retryMs);
  }
}

/**
 * The client, for Kysely, which gives each one back as if it were well. One that may have a transaction open must not be
 * used again: what is written into that is acknowledged, and never committed.
 */
function poolable(client: PoolClient): PostgresPoolClient {
  let isLost = false;
  const query = async (sql: string, parameters: unknown[]): Promise<unknown> => {
    try {
      return await client.query(sql, parameters);
    } catch (error) {
      // Postgres did not refuse it, so it may still be under way; a rollback behind it is given up without being sent.
      isLost ||= !(error instanceof Refusal);
      throw error;
    }
  };
  const release = (): void => client.release(isLost || client.getTransactionStatus() !== "I");
  // The other way to ask, by a cursor, is for streams, and there are none here.
  return { query: query as PostgresPoolClient["query"], release };
}

/** Whether nobody answered, or only to say that it stops or starts. */
function isAway(error: unknown): boolean {
  return !(error instanceof Refusal) || ["57P01", "57P03"].includes(error.code ?? "");
}

/** `bigint` comes as a text by default, because it has more digits than a number; ours, times and counts, do not. */
const numbersForIntegers: typeof types.getTypeParser = (type, format) =>
  type === types.builtins.INT8 ? Number : types.getTypeParser(type, format);

function nameOf(url: string): string {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new DatabaseError(
      "the database URL cannot be read: expected postgres://user:password@host:port/database",
    );
  }
  const { host, pathname } = new URL(url);
  return `the database ${JSON.stringify(`postgres://${host}${pathname}`)}`;
}

/** An error of several addresses of one host has no message of its own. */
function reasonOf(error: unknown): string {
  return messageOf(error) || (systemErrorCode(error) ?? "no connection");
}

/** By SQLSTATE. */
const advice = new Map([
  ["28P01", "check user and password in the URL"],
  ["28000", "check the user in the URL, and pg_hba.conf"],
  ["3D000", "create it with createdb"],
  ["53300", "raise max_connections, or put PgBouncer before it"],
]);

function adviceOn(error: unknown): string {
  const fallback = "check that Postgres runs there and takes connections from this machine";
  return advice.get(systemErrorCode(error) ?? "") ?? fallback;
}

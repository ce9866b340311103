/**
 * The tables, the same in both databases.
 *
 * Times are integers, Unix milliseconds; truth is 0 or 1; what is only ever read whole is JSON in a text, because that
 * is the same in both. `migrations.ts` makes them.
 */
import type { Generated, GeneratedAlways } from "kysely";

export interface Schema {
  plimsoll_schema: VersionTable;
  database_identity: DatabaseIdentityTable;
  servers: ServerTable;
  projects: ProjectTable;
  tests: TestTable;
  runs: RunTable;
  run_tags: RunTagTable;
  tokens: TokenTable;
  shares: ShareTable;
}

/** One row; every version of Plimsoll reads it. */
export interface VersionTable {
  /** How many steps of `migrations.ts` have been applied. */
  version: number;
}

/** One row. */
export interface DatabaseIdentityTable {
  /** Random: the same in a copy, another one in every other database. */
  id: string;
}

export interface ServerTable {
  id: string;
  url: string;
  /** By that server's clock. */
  seen_ms: number;
}

export interface ProjectTable {
  id: number;
  name: string;
  is_default: number;
  created_ms: number;
}

export interface TestTable {
  id: Generated<number>;
  project_id: number;
  name: string;
  created_ms: number;
  updated_ms: number;
}

export interface RunTable {
  id: Generated<number>;
  test_id: number;
  testid: string;
  source: string;
  generator: string;
  started_by: string;
  /** Empty for none. */
  server_id: string;
  token_hash: string;
  /** With the user whose it is, as JSON; null for none, so that any number of runs have none. */
  idempotency_key: string | null;
  state: string;
  result: string | null;
  created_ms: number;
  started_ms: number | null;
  ended_ms: number | null;
  last_data_ms: number | null;
  has_late_data: number;
  max_vus: number | null;
  expected_seconds: number | null;
  archive_bytes: number;
  log_lines: number;
  note: string;
  /**
   * In lower case, as JavaScript has it, which knows more letters than SQLite: the test's name and the testid, with a
   * line's end between them.
   */
  search_name: string;
  /** The note, in lower case. */
  search_note: string;
  starred: Generated<number>;
  /** HTTP requests of the summary; -1 where it has none: a null has no place in an order. */
  requests: Generated<number>;
  /** Of the summary, beside `requests`: what a list shows. */
  failed_ratio: Generated<number | null>;
  p95_seconds: Generated<number | null>;
  /** Of what is over and had a first sample; else -1. */
  duration_ms: GeneratedAlways<number>;
  /** The beginning of `search_name`. */
  sort_name: GeneratedAlways<string>;
  history: string;
  thresholds: string;
  tags: string;
  summary: string;
  stores: string;
  options: string;
}

/** `runs.tags` once more, to look for. */
export interface RunTagTable {
  run_id: number;
  tag: string;
  value: string;
}

export interface TokenTable {
  id: Generated<number>;
  name: string;
  role: string;
  hash: string;
  created_ms: number;
  revoked_ms: number | null;
}

export interface ShareTable {
  id: Generated<number>;
  run_id: number;
  created_by: string;
  hash: string;
  created_ms: number;
  expires_ms: number;
}

/** `sqlite`: libSQL, which is one. */
export type DatabaseKind = "sqlite" | "postgres";

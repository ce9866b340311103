/** What the database has, to records and back. */
import type { Insertable, Kysely, Selectable, SelectQueryBuilder, Updateable } from "kysely";
import type { RunRecord, SummaryRow, Transition } from "../runs/run-record.ts";
import type {
  ApiToken,
  NewRun,
  Project,
  RunChanges,
  RunServer,
  Test,
} from "../runs/run-repository.ts";
import type {
  ProjectTable,
  RunTable,
  Schema,
  ServerTable,
  TestTable,
  TokenTable,
} from "./schema.ts";

/** A run with what it is a run of. */
export interface RunRow extends Selectable<RunTable> {
  readonly test: string;
  readonly project_id: number;
}

export function selectRuns(
  db: Kysely<Schema>,
): SelectQueryBuilder<Schema, "runs" | "tests", RunRow> {
  return db
    .selectFrom("runs")
    .innerJoin("tests", "tests.id", "runs.test_id")
    .selectAll("runs")
    .select(["tests.name as test", "tests.project_id"]);
}

/** The casts are true because `toRow` and `toUpdate` are all that writes these columns. */
export function toRecord(row: RunRow): RunRecord {
  return {
    id: row.id,
    testid: row.testid,
    test: row.test,
    testId: row.test_id,
    projectId: row.project_id,
    source: row.source as RunRecord["source"],
    state: row.state as RunRecord["state"],
    result: (row.result ?? undefined) as RunRecord["result"],
    history: JSON.parse(row.history) as RunRecord["history"],
    generator: row.generator,
    startedBy: row.started_by,
    options: JSON.parse(row.options) as RunRecord["options"],
    maxVus: row.max_vus ?? undefined,
    expectedSeconds: row.expected_seconds ?? undefined,
    thresholds: JSON.parse(row.thresholds) as RunRecord["thresholds"],
    tags: JSON.parse(row.tags) as RunRecord["tags"],
    note: row.note,
    starred: row.starred !== 0,
    createdMs: row.created_ms,
    startedMs: row.started_ms ?? undefined,
    endedMs: row.ended_ms ?? undefined,
    lastDataMs: row.last_data_ms ?? undefined,
    hasLateData: row.has_late_data !== 0,
    summary: JSON.parse(row.summary) as RunRecord["summary"],
    stores: JSON.parse(row.stores) as RunRecord["stores"],
    archiveBytes: row.archive_bytes,
    logLines: row.log_lines,
  };
}

/** @param test The name of the test. */
export function toRow(run: NewRun, test: string): Insertable<RunTable> {
  const created: Transition = { state: "created", atMs: run.createdMs };
  return {
    test_id: run.testId,
    testid: run.testid,
    source: run.source,
    generator: run.generator,
    started_by: run.startedBy,
    server_id: run.serverId,
    token_hash: run.tokenHash,
    idempotency_key: run.idempotencyKey === "" ? null : toUserKey(run),
    state: created.state,
    result: null,
    created_ms: run.createdMs,
    started_ms: null,
    ended_ms: null,
    last_data_ms: null,
    has_late_data: 0,
    max_vus: run.maxVus ?? null,
    expected_seconds: run.expectedSeconds ?? null,
    archive_bytes: 0,
    log_lines: 0,
    note: run.note,
    search_name: `${test}\n${run.testid}`.toLowerCase(),
    search_note: run.note.toLowerCase(),
    history: JSON.stringify([created]),
    thresholds: JSON.stringify(run.thresholds),
    tags: JSON.stringify(run.tags),
    summary: "[]",
    stores: "[]",
    options: JSON.stringify(run.options),
  };
}

/** Anybody may choose any key: without the user in it, it would give a stranger's run, and a token for it. */
export function toUserKey({ startedBy, idempotencyKey }: NewRun): string {
  return JSON.stringify([startedBy, idempotencyKey]);
}

/** The columns that change. Kysely leaves out what is undefined. */
export function toUpdate(changes: RunChanges): Updateable<RunTable> {
  const json = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  const { hasLateData, starred, summary } = changes;
  return {
    thresholds: json(changes.thresholds),
    started_ms: changes.startedMs,
    last_data_ms: changes.lastDataMs,
    has_late_data: hasLateData === undefined ? undefined : Number(hasLateData),
    summary: json(summary),
    requests: summary && requestsIn(summary),
    stores: json(changes.stores),
    archive_bytes: changes.archiveBytes,
    log_lines: changes.logLines,
    note: changes.note,
    search_note: changes.note?.toLowerCase(),
    starred: starred === undefined ? undefined : Number(starred),
    max_vus: changes.maxVus,
    expected_seconds: changes.expectedSeconds,
    options: json(changes.options),
  };
}

/** A whole number, as the column has it, whatever a generator has counted. */
function requestsIn(summary: readonly SummaryRow[]): number {
  const row = summary.find(({ metric, stat }) => metric === "http_reqs" && stat === "count");
  const requests = Math.round(row?.value ?? -1);
  return Number.isSafeInteger(requests) ? requests : -1;
}

export function toProject({ id, name, is_default, created_ms }: Selectable<ProjectTable>): Project {
  return { id, name, isDefault: is_default !== 0, createdMs: created_ms };
}

export function toServer({ id, url, seen_ms }: Selectable<ServerTable>): RunServer {
  return { id, url, seenMs: seen_ms };
}

export function toTest({
  id,
  name,
  project_id,
  created_ms,
  updated_ms,
}: Selectable<TestTable>): Test {
  return { id, projectId: project_id, name, createdMs: created_ms, updatedMs: updated_ms };
}

export function toToken({
  id,
  name,
  role,
  created_ms,
  revoked_ms,
}: Selectable<TokenTable>): ApiToken {
  return {
    id,
    name,
    // Written by `createToken`.
    role: role as ApiToken["role"],
    createdMs: created_ms,
    revokedMs: revoked_ms ?? undefined,
  };
}

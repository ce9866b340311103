/** What the database has, to records and back. */
import type { Insertable, Kysely, Selectable, SelectQueryBuilder, Updateable } from "kysely";
import type { ListedRun, RunRecord, SummaryRow, Transition } from "../runs/run-record.ts";
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

/** What a list has, or is sorted by: nothing that is long. */
const listedColumns = [
  "id",
  "test_id",
  "testid",
  "source",
  "generator",
  "started_by",
  "state",
  "result",
  "created_ms",
  "started_ms",
  "ended_ms",
  "last_data_ms",
  "has_late_data",
  "max_vus",
  "expected_seconds",
  "archive_bytes",
  "log_lines",
  "note",
  "thresholds",
  "tags",
  "starred",
  "requests",
  "failed_ratio",
  "p95_seconds",
  "duration_ms",
  "sort_name",
] as const;

export type ListedRow = Pick<RunRow, (typeof listedColumns)[number] | "test" | "project_id">;

export function selectListedRuns(
  db: Kysely<Schema>,
): SelectQueryBuilder<Schema, "runs" | "tests", ListedRow> {
  return db
    .selectFrom("runs")
    .innerJoin("tests", "tests.id", "runs.test_id")
    .select(listedColumns.map((column) => `runs.${column}` as const))
    .select(["tests.name as test", "tests.project_id"]);
}

/** The casts are true because `toRow` and `toUpdate` are all that writes these columns. */
export function toRecord(row: RunRow): RunRecord {
  return {
    ...toCommonPart(row),
    history: JSON.parse(row.history) as RunRecord["history"],
    options: JSON.parse(row.options) as RunRecord["options"],
    summary: JSON.parse(row.summary) as RunRecord["summary"],
    stores: JSON.parse(row.stores) as RunRecord["stores"],
  };
}

export function toListedRun(row: ListedRow): ListedRun {
  const { requests, failed_ratio: failedRatio, p95_seconds: p95Seconds } = row;
  return {
    ...toCommonPart(row),
    headline: {
      requests: requests < 0 ? undefined : requests,
      failedRatio: failedRatio ?? undefined,
      p95Seconds: p95Seconds ?? undefined,
    },
  };
}

function toCommonPart(row: ListedRow): Omit<ListedRun, "headline"> {
  return {
    id: row.id,
    testid: row.testid,
    test: row.test,
    testId: row.test_id,
    projectId: row.project_id,
    source: row.source as RunRecord["source"],
    state: row.state as RunRecord["state"],
    result: (row.result ?? undefined) as RunRecord["result"],
    generator: row.generator,
    startedBy: row.started_by,
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
    ...(summary && headlineOf(summary)),
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

/** Whatever a generator has counted: requests are a whole number, as the column has it. */
function headlineOf(
  summary: readonly SummaryRow[],
): Pick<Updateable<RunTable>, "requests" | "failed_ratio" | "p95_seconds"> {
  const valueOf = (metric: string, stat: string): number | null => {
    const found = summary.find((row) => row.metric === metric && row.stat === stat);
    return found && Number.isFinite(found.value) ? found.value : null;
  };
  const requests = Math.round(valueOf("http_reqs", "count") ?? -1);
  return {
    requests: Number.isSafeInteger(requests) ? requests : -1,
    failed_ratio: valueOf("http_req_failed", "rate"),
    p95_seconds: valueOf("http_req_duration", "p95"),
  };
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

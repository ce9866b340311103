/**
 * The objects of k6's v6 API, complete: k6 takes a missing key for zero without a word, and waits for ever or panics.
 *
 * Keys are those that any of v1.8 to v2.2 requires. Numbers are whole, and times RFC 3339.
 *
 * Source: k6-cloud-openapi-client-go `k6/model_*.go`, as k6 v2.2.0 has it.
 */
import type { Json, RunRecord, Transition } from "../../runs/run-record.ts";
import type { Project, Test } from "../../runs/run-repository.ts";
import { toV6Status } from "./run-status.ts";

/** Of a single stack; k6 refuses 0. */
export const stackId = 1;

export interface V6Project {
  readonly id: number;
  readonly name: string;
  readonly is_default: boolean;
  readonly grafana_folder_uid: null;
  readonly created: string;
  readonly updated: string;
}

export function toV6Project({ id, name, isDefault, createdMs }: Project): V6Project {
  const created = toTime(createdMs);
  return {
    id,
    name,
    is_default: isDefault,
    grafana_folder_uid: null,
    created,
    updated: created,
  };
}

export interface V6LoadTest {
  readonly id: number;
  readonly project_id: number;
  readonly name: string;
  readonly baseline_test_run_id: null;
  readonly created: string;
  readonly updated: string;
  readonly k6_version: null;
}

export function toV6LoadTest({ id, projectId, name, createdMs, updatedMs }: Test): V6LoadTest {
  return {
    id,
    project_id: projectId,
    name,
    baseline_test_run_id: null,
    created: toTime(createdMs),
    updated: toTime(updatedMs),
    k6_version: null,
  };
}

export interface V6StatusEntry {
  readonly type: string;
  readonly entered: string;
  readonly extra: {
    readonly by_user: string | null;
    readonly message: string | null;
    readonly code: null;
  } | null;
}

export interface V6TestRun {
  readonly id: number;
  readonly test_id: number;
  readonly project_id: number;
  readonly started_by: string;
  readonly created: string;
  readonly ended: string | null;
  readonly note: string;
  readonly retention_expiry: null;
  readonly cost: null;
  readonly status: string;
  readonly status_details: V6StatusEntry;
  readonly status_history: readonly V6StatusEntry[];
  readonly distribution: readonly never[];
  readonly result: string | null;
  readonly result_details: null;
  readonly options: Json;
  readonly k6_dependencies: Readonly<Record<string, string>>;
  readonly k6_versions: Readonly<Record<string, string>>;
  readonly max_vus: number | null;
  readonly max_browser_vus: number | null;
  readonly estimated_duration: number | null;
  readonly execution_duration: number;
  readonly is_starred: boolean;
}

/** @param nowMs Until when a run that goes on has been running */
export function toV6TestRun(run: RunRecord, nowMs: number): V6TestRun {
  const history = run.history.map((transition) => toStatusEntry(transition, run.startedBy));
  const [, k6Version] = /^k6\/(.+)/.exec(run.generator) ?? [];
  const ranMs = run.startedMs === undefined ? 0 : (run.endedMs ?? nowMs) - run.startedMs;
  return {
    id: run.id,
    test_id: run.testId,
    project_id: run.projectId,
    started_by: run.startedBy,
    created: toTime(run.createdMs),
    ended: run.endedMs === undefined ? null : toTime(run.endedMs),
    note: run.note,
    retention_expiry: null,
    cost: null,
    status: toV6Status(run.state),
    status_details: history.at(-1) ?? {
      type: toV6Status(run.state),
      entered: toTime(run.createdMs),
      extra: null,
    },
    status_history: history,
    distribution: [],
    result: run.result ?? null,
    result_details: null,
    // A script that exports none has an empty object.
    options: typeof run.options === "object" && run.options !== null ? run.options : {},
    k6_dependencies: {},
    k6_versions: k6Version === undefined ? {} : { k6: k6Version },
    max_vus: toInt32(run.maxVus),
    max_browser_vus: null,
    estimated_duration: toInt32(run.expectedSeconds),
    execution_duration: Math.max(0, Math.round(ranMs / 1_000)),
    is_starred: false,
  };
}

/** Of an abort, k6 prints who did it, and why. */
function toStatusEntry({ state, atMs, reason, by }: Transition, startedBy: string): V6StatusEntry {
  const type = toV6Status(state);
  return {
    type,
    entered: toTime(atMs),
    extra:
      type === "aborted"
        ? {
            by_user: state === "aborted_by_user" ? (by ?? startedBy) : null,
            message: reason ?? null,
            code: null,
          }
        : null,
  };
}

function toInt32(value: number | undefined): number | null {
  return value === undefined ? null : Math.min(Math.max(0, Math.round(value)), 2 ** 31 - 1);
}

function toTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

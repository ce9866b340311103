/**
 * A run as programs get it: from `/api/v1/runs`, and from `plimsoll runs … --json`, whichever store it is in.
 *
 * Times are RFC 3339 in UTC; what is not known is null, so that every field is always there.
 */
import { type Stop, stopOf } from "../../runs/stopping.ts";
import type { RunState } from "../../runs/run-state.ts";
import type {
  Headline,
  Json,
  ListedRun,
  RunRecord,
  RunResult,
  RunSource,
  SummaryRow,
} from "../../runs/run-record.ts";

export interface TransitionView {
  readonly state: RunState;
  readonly at: string;
  readonly reason: string | null;
  readonly by: string | null;
}

export interface ThresholdView {
  readonly metric: string;
  readonly expression: string;
  readonly abortOnFail: boolean;
  readonly value: number | null;
  readonly ok: boolean | null;
  /** k6's own verdict, where it says one. */
  readonly generatorOk: boolean | null;
}

/** What a list has of a run. */
export interface RunListItem {
  readonly id: number;
  readonly testid: string;
  readonly test: string;
  readonly project: number;
  readonly source: RunSource;
  readonly state: RunState;
  readonly result: RunResult | null;
  readonly generator: string;
  readonly startedBy: string;
  readonly note: string;
  /** Somebody wants to find it again. */
  readonly starred: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly created: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly lastData: string | null;
  readonly hasLateData: boolean;
  readonly thresholds: { readonly passed: number; readonly failed: number; readonly open: number };
  /** Null where the summary has no HTTP requests, as before the end. */
  readonly headline: HeadlineView | null;
}

/** Of all HTTP requests. */
export interface HeadlineView {
  readonly requests: number | null;
  readonly failedRatio: number | null;
  readonly p95Seconds: number | null;
}

export interface RunView extends Omit<RunListItem, "thresholds" | "headline"> {
  readonly history: readonly TransitionView[];
  readonly thresholds: readonly ThresholdView[];
  readonly summary: readonly SummaryRow[];
  readonly maxVus: number | null;
  readonly expectedSeconds: number | null;
  /** Where the samples are. */
  readonly stores: readonly string[];
  readonly archiveBytes: number;
  readonly logLines: number;
  /** Whether a server can end it, and what happens then; or what to do instead. */
  readonly stop: Stop;
  readonly options: Json;
}

export interface RunListView {
  readonly runs: readonly RunListItem[];
  readonly total: number;
  /** What `after` takes for the next page; null on the last one. */
  readonly next: string | null;
}

export function toRunListItem(run: ListedRun): RunListItem {
  // As the run's result is found.
  const verdicts = run.thresholds.map(({ ok, generatorOk }) => generatorOk ?? ok);
  return {
    ...toCommonPart(run),
    thresholds: {
      passed: verdicts.filter((ok) => ok === true).length,
      failed: verdicts.filter((ok) => ok === false).length,
      open: verdicts.filter((ok) => ok === undefined).length,
    },
    headline: toHeadline(run.headline),
  };
}

function toHeadline({ requests, failedRatio, p95Seconds }: Headline): HeadlineView | null {
  const headline = {
    requests: requests ?? null,
    failedRatio: failedRatio ?? null,
    p95Seconds: p95Seconds ?? null,
  };
  return Object.values(headline).every((value) => value === null) ? null : headline;
}

export function toRunView(run: RunRecord): RunView {
  return {
    ...toCommonPart(run),
    history: run.history.map(({ state, atMs, reason = null, by = null }) => ({
      state,
      at: toTime(atMs),
      reason,
      by,
    })),
    thresholds: run.thresholds.map((threshold) => ({
      metric: threshold.metric,
      expression: threshold.expression,
      abortOnFail: threshold.abortOnFail,
      value: threshold.value ?? null,
      ok: threshold.ok ?? null,
      generatorOk: threshold.generatorOk ?? null,
    })),
    summary: run.summary,
    maxVus: run.maxVus ?? null,
    expectedSeconds: run.expectedSeconds ?? null,
    stores: run.stores,
    archiveBytes: run.archiveBytes,
    logLines: run.logLines,
    stop: stopOf(run),
    options: run.options,
  };
}

function toCommonPart(run: RunRecord | ListedRun): Omit<RunListItem, "thresholds" | "headline"> {
  return {
    id: run.id,
    testid: run.testid,
    test: run.test,
    project: run.projectId,
    source: run.source,
    state: run.state,
    result: run.result ?? null,
    generator: run.generator,
    startedBy: run.startedBy,
    note: run.note,
    starred: run.starred,
    tags: run.tags,
    created: toTime(run.createdMs),
    started: toTimeOrNull(run.startedMs),
    ended: toTimeOrNull(run.endedMs),
    lastData: toTimeOrNull(run.lastDataMs),
    hasLateData: run.hasLateData,
  };
}

function toTimeOrNull(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : toTime(timeMs);
}

export function toTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

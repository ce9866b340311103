/**
 * The query of `GET /api/v1/runs`, and of `plimsoll runs list`, as a filter and a page.
 */
import type { Page, RunFilter, RunSort, SortOrder } from "../../runs/run-repository.ts";
import type { RunResult } from "../../runs/run-record.ts";
import type { RunState } from "../../runs/run-state.ts";

/** As `listQuery` of schemas.ts has it. */
export interface RunQuery {
  readonly test?: string;
  readonly state?: readonly RunState[];
  readonly result?: RunResult;
  readonly search?: string;
  /** Each `name=value`. */
  readonly tag?: readonly string[];
  /** RFC 3339. */
  readonly from?: string;
  readonly before?: string;
  readonly starred?: boolean;
  readonly sort?: RunSort;
  readonly order?: SortOrder;
  readonly limit?: number;
  readonly after?: string;
}

export function toRunFilter(query: RunQuery): RunFilter {
  const { test, state, result, search, tag, from, before, starred } = query;
  return {
    ...(test !== undefined && { test }),
    ...(state !== undefined && { states: state }),
    ...(result !== undefined && { result }),
    ...(search !== undefined && { search }),
    ...(tag !== undefined && { tags: Object.fromEntries(tag.map(toPair)) }),
    ...(from !== undefined && { createdFromMs: Date.parse(from) }),
    ...(before !== undefined && { createdBeforeMs: Date.parse(before) }),
    ...(starred !== undefined && { starred }),
  };
}

export function toPage({ sort, order, limit, after }: RunQuery): Page {
  return {
    ...(sort !== undefined && { sort }),
    ...(order !== undefined && { order }),
    ...(limit !== undefined && { limit }),
    ...(after !== undefined && { after }),
  };
}

function toPair(tag: string): [string, string] {
  const at = tag.indexOf("=");
  return [tag.slice(0, at), tag.slice(at + 1)];
}

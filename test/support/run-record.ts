/** A run as the repository has it: of a test that was started a second ago, unless said otherwise. */
import type { RunRecord } from "../../src/runs/run-record.ts";

const createdMs = Date.UTC(2026, 0, 1, 10);

export function runRecord(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 123,
    testId: 45,
    projectId: 7,
    testid: "checkout-20260101T100000-7f3a",
    test: "checkout",
    source: "cloud-v6",
    state: "initializing",
    result: undefined,
    history: [
      { state: "created", atMs: createdMs },
      { state: "initializing", atMs: createdMs + 5_000 },
    ],
    generator: "k6/2.2.0",
    startedBy: "ci",
    options: { vus: 10 },
    maxVus: 10,
    expectedSeconds: 60,
    thresholds: [],
    tags: {},
    note: "",
    starred: false,
    createdMs,
    startedMs: undefined,
    endedMs: undefined,
    lastDataMs: undefined,
    hasLateData: false,
    summary: [],
    stores: [],
    archiveBytes: 0,
    logLines: 0,
    ...changes,
  };
}

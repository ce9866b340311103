import { describe, expect, it } from "vitest";
import { toV6LoadTest, toV6TestRun } from "../../../../src/cloud/api/v6-objects.ts";
import { runStates } from "../../../../src/runs/run-state.ts";
import { runRecord } from "../../../support/run-record.ts";
import { v6LoadTest, v6TestRun } from "../../../support/v6-schema.ts";

const atMs = Date.UTC(2026, 0, 1, 10);

describe("a test run", () => {
  it("has all that any version of k6 asks for, and its types", () => {
    const testRun = toV6TestRun(
      runRecord({
        state: "finished",
        result: "failed",
        note: "nightly",
        startedMs: atMs + 20_000,
        endedMs: atMs + 51_400,
        history: [
          { state: "created", atMs },
          { state: "initializing", atMs: atMs + 5_000 },
          { state: "running", atMs: atMs + 20_000 },
          { state: "finished", atMs: atMs + 51_400 },
        ],
      }),
      atMs + 100_000,
    );
    expect(testRun).toEqual({
      id: 123,
      test_id: 45,
      project_id: 7,
      started_by: "ci",
      created: "2026-01-01T10:00:00.000Z",
      ended: "2026-01-01T10:00:51.400Z",
      note: "nightly",
      retention_expiry: null,
      cost: null,
      status: "completed",
      status_details: { type: "completed", entered: "2026-01-01T10:00:51.400Z", extra: null },
      status_history: [
        { type: "created", entered: "2026-01-01T10:00:00.000Z", extra: null },
        { type: "initializing", entered: "2026-01-01T10:00:05.000Z", extra: null },
        { type: "running", entered: "2026-01-01T10:00:20.000Z", extra: null },
        { type: "completed", entered: "2026-01-01T10:00:51.400Z", extra: null },
      ],
      distribution: [],
      result: "failed",
      result_details: null,
      options: { vus: 10 },
      k6_dependencies: {},
      k6_versions: { k6: "2.2.0" },
      max_vus: 10,
      max_browser_vus: null,
      estimated_duration: 60,
      execution_duration: 31,
      is_starred: false,
    });
    expect(v6TestRun.parse(testRun)).toEqual(testRun);
  });

  it.each(runStates)("is complete when it is %s", (state) => {
    const history = [{ state, atMs, reason: "because" }];
    const testRun = toV6TestRun(runRecord({ state, history }), atMs);
    expect(v6TestRun.parse(testRun)).toEqual(testRun);
  });

  it.each([
    {
      what: "without what k6 did not say",
      changes: { maxVus: undefined, expectedSeconds: undefined },
    },
    { what: "of numbers that are too large", changes: { maxVus: 1e12, expectedSeconds: 0.5 } },
    { what: "of options that are none", changes: { options: null } },
    { what: "of another generator", changes: { generator: "curl/8.0" } },
    { what: "without a history", changes: { history: [] } },
    { what: "of a clock that was set back", changes: { startedMs: atMs + 9e9 } },
  ])("is complete $what", ({ changes }) => {
    const testRun = toV6TestRun(runRecord(changes), atMs);
    expect(v6TestRun.parse(testRun)).toEqual(testRun);
  });

  it("says who aborted it, and why", () => {
    const abortedBy = (by?: string) =>
      toV6TestRun(
        runRecord({
          state: "aborted_by_user",
          history: [{ state: "aborted_by_user", atMs, reason: "too slow", ...(by && { by }) }],
        }),
        atMs,
      ).status_details.extra;
    expect(abortedBy("jo")).toEqual({ by_user: "jo", message: "too slow", code: null });
    // k6 prints "by user" for any name, and takes an empty one for nobody.
    expect(abortedBy()).toEqual({ by_user: "ci", message: "too slow", code: null });
  });

  it("was aborted by nobody when a threshold did it", () => {
    const history = [{ state: "aborted_by_threshold", atMs } as const];
    const { status_details } = toV6TestRun(
      runRecord({ state: "aborted_by_threshold", history }),
      atMs,
    );
    expect(status_details.extra).toEqual({ by_user: null, message: null, code: null });
  });
});

it("a load test has all that any version of k6 asks for", () => {
  const loadTest = toV6LoadTest({
    id: 45,
    projectId: 7,
    name: "checkout.js",
    createdMs: atMs,
    updatedMs: atMs + 1,
  });
  expect(loadTest).toEqual({
    id: 45,
    project_id: 7,
    name: "checkout.js",
    baseline_test_run_id: null,
    created: "2026-01-01T10:00:00.000Z",
    updated: "2026-01-01T10:00:00.001Z",
    k6_version: null,
  });
  expect(v6LoadTest.parse(loadTest)).toEqual(loadTest);
});

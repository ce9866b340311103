import { expect, it } from "vitest";
import { readNotification } from "../../../../src/cloud/api/notify.ts";

const notified = (code: number, reason: string) =>
  readNotification({ event_type: "script_execution_completed", error: { code, reason } });

it("without an error, the test ran its course", () => {
  expect(readNotification({ event_type: "script_execution_completed", error: null })).toEqual({
    state: "finished",
  });
});

it.each([
  [8036, "test run was interrupted by a signal", "interrupted"],
  [
    8036,
    "thresholds on metrics 'a' were crossed; at least one has abortOnFail enabled",
    "interrupted",
  ],
  [8035, "Error: boom\n\tat file:///a.js:1:1", "aborted_by_script_error"],
  [8034, "setup() execution timed out after 60 seconds", "aborted_by_limit"],
  [8034, "an output asked the test to stop", "aborted_by_system"],
  [0, "test run was marked as failed", "aborted_by_system"],
  [9999, "something of a later k6", "aborted_by_system"],
])("code %i, %j: %s", (code, reason, state) => {
  expect(notified(code, reason)).toEqual({ state, reason });
});

it("keeps the beginning of a long reason", () => {
  expect(notified(8035, "x".repeat(100_000)).reason).toHaveLength(2_000);
});

it.each([
  undefined,
  null,
  "x",
  {},
  { event_type: "else", error: null },
  { event_type: "script_execution_completed", error: {} },
])("refuses %j", (body) => {
  expect(() => readNotification(body)).toThrow(expect.objectContaining({ statusCode: 400 }));
});

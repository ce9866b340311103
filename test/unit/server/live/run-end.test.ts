import { describe, expect, it } from "vitest";
import type { ThresholdVerdict } from "../../../../src/runs/run-record.ts";
import { stateOf } from "../../../../src/server/live/run-end.ts";

const crossed: ThresholdVerdict = {
  metric: "http_req_failed",
  expression: "rate<0.1",
  abortOnFail: true,
  delayAbortEvalMs: 10_000,
  value: 0.5,
  ok: false,
  generatorOk: undefined,
};

describe("stateOf", () => {
  const nobody = { stopBy: undefined, runSeconds: 30 };
  it.each([
    ["a threshold that aborts has failed", [crossed], "", nobody, "aborted_by_threshold"],
    ["k6 names abortOnFail", [], "thresholds … abortOnFail", nobody, "aborted_by_threshold"],
    ["it could not abort yet", [crossed], "", { ...nobody, runSeconds: 9 }, "aborted_by_user"],
    ["it cannot abort", [{ ...crossed, abortOnFail: false }], "", nobody, "aborted_by_user"],
    ["it had no samples", [{ ...crossed, value: undefined }], "", nobody, "aborted_by_user"],
    ["none has failed", [{ ...crossed, ok: true }], "signal", nobody, "aborted_by_user"],
    ["it was told to stop", [crossed], "", { ...nobody, stopBy: "ann" }, "aborted_by_user"],
  ] as const)("says of an interruption when %s", (_, verdicts, reason, context, state) => {
    expect(stateOf({ state: "interrupted", reason }, verdicts, context)).toBe(state);
  });

  it("takes k6's output for the user, where the user has told it to stop", () => {
    const reported = { state: "aborted_by_system" } as const;
    expect(stateOf(reported, [], { stopBy: "ann", runSeconds: 1 })).toBe("aborted_by_user");
    expect(stateOf(reported, [], nobody)).toBe("aborted_by_system");
  });
});

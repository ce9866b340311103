import { describe, expect, it } from "vitest";
import { whyLines, whyNoBuckets } from "../../../src/generate/k6-samples.ts";

const question = { args: [], env: {}, pushIntervalMs: 1_000 };

describe("whyNoBuckets", () => {
  it.each([
    { what: "nothing special", more: {} },
    { what: "an interval of whole seconds", more: { pushIntervalMs: 5_000 } },
    { what: "another output", more: { args: ["-o", "csv=cloud"] } },
    { what: "its own address", more: { args: ["--address", ":6565"] } },
    { what: "a summary in full", more: { args: ["--summary-mode=full"] } },
  ])("has nothing against $what", ({ more }) => {
    expect(whyNoBuckets({ ...question, ...more })).toBeUndefined();
  });

  it.each([
    { more: { pushIntervalMs: 500 }, says: "whole seconds" },
    { more: { args: ["--out", "cloud"] }, says: "cloud output is in use" },
    { more: { env: { K6_OUT: "csv=a,cloud" } }, says: "cloud output is in use" },
    { more: { env: { K6_CLOUD_PUSH_REF_ID: "7" } }, says: "K6_CLOUD_PUSH_REF_ID" },
    { more: { args: ["--summary-mode", "disabled"] }, says: "summary is disabled" },
    { more: { env: { K6_SUMMARY_MODE: "disabled" } }, says: "summary is disabled" },
    { more: { args: ["--no-summary"] }, says: "summary is disabled" },
    { more: { args: ["--address="] }, says: "REST API" },
  ])("says what stands against $more", ({ more, says }) => {
    expect(whyNoBuckets({ ...question, ...more })).toContain(says);
  });
});

describe("whyLines", () => {
  it.each(["", "new Trend('a', true); new metrics.Trend(`b`, true)", "new Trends('a')"])(
    "has nothing against %j",
    (source) => expect(whyLines(source, false)).toBeUndefined(),
  );

  it.each(["const t = new Trend('draught');", "new Trend('a', true); new k6.Trend('b', false)"])(
    "knows a trend of plain numbers in %j",
    (source) => expect(whyLines(source, false)).toContain("plain numbers"),
  );

  it("leaves classic buckets to lines", () => {
    expect(whyLines("", true)).toContain("classic buckets");
  });
});

import { describe, expect, it } from "vitest";
import { k6Arguments } from "../../../src/generate/k6.ts";

describe("k6Arguments", () => {
  const samples = { kind: "lines", fifoPath: "/f" } as const;
  const given = { script: "s.js", args: [], env: {}, samples, summaryPath: "/s" };
  const json = ["--out", "json=/f"];
  const summary = ["--summary-export", "/s"];

  it.each([
    { when: "nothing else is asked for", more: {}, expected: [...json, ...summary] },
    {
      when: "the user has flags",
      more: { args: ["-u", "5", "--tag", "a=b"] },
      expected: [...json, ...summary, "-u", "5", "--tag", "a=b"],
    },
    {
      when: "K6_OUT names outputs, which our --out would replace",
      more: { env: { K6_OUT: "csv=a.csv,influxdb=http://i" } },
      expected: [...json, "--out", "csv=a.csv", "--out", "influxdb=http://i", ...summary],
    },
    {
      when: "the user's own --out replaces K6_OUT",
      more: { env: { K6_OUT: "csv=a.csv" }, args: ["-o", "cloud"] },
      expected: [...json, ...summary, "-o", "cloud"],
    },
    {
      when: "the user exports the summary by flag",
      more: { args: ["--summary-export=mine.json"] },
      expected: [...json, "--summary-export=mine.json"],
    },
    {
      when: "the user exports the summary by variable",
      more: { env: { K6_SUMMARY_EXPORT: "mine.json" } },
      expected: json,
    },
    {
      when: "another flag's value looks like ours",
      more: { args: ["--env", "--summary-export", "--tag", "--out"] },
      expected: [...json, ...summary, "--env", "--summary-export", "--tag", "--out"],
    },
  ])("puts our outputs before the user's flags where $when", ({ more, expected }) => {
    expect(k6Arguments({ ...given, ...more })).toEqual(["run", "--quiet", ...expected, "s.js"]);
  });

  it.each([
    { whose: "ours", address: "127.0.0.1:1234", flags: ["--address", "127.0.0.1:1234"] },
    { whose: "the user's", address: undefined, flags: [] },
  ])("asks for buckets by the cloud output, with a REST API at an address of $whose", (one) => {
    const cloud = { kind: "buckets", cloudUrl: "http://c", address: one.address } as const;
    const expected = ["run", "--quiet", "--out", "cloud", ...one.flags, ...summary, "s.js"];
    expect(k6Arguments({ ...given, samples: cloud })).toEqual(expected);
  });
});

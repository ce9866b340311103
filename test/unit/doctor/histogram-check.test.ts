import { expect, it } from "vitest";
import { checkHistograms } from "../../../src/doctor/histogram-check.ts";

const url = "http://prom:9090/api/v1/write";

it.each([
  [true, "auto", true, "ok", /^stores .*; native ones are sent$/],
  [true, "native", true, "ok", /native ones are sent \(--trends native\)/],
  [true, "classic", true, "ok", /^stores .*classic ones are sent.*\(--trends classic\)/],
  [true, "none", true, "ok", /^stores .*none are sent \(--trends none\)/],
  [false, "auto", true, "warning", /^does not store .*classic ones are sent/],
  [false, "native", true, "problem", /a run would not begin/],
  [false, "classic", true, "ok", /^does not store .*\(--trends classic\)/],
  [false, "none", true, "ok", /none are sent/],
  ["unverified", "auto", true, "warning", /^nobody can say .*classic ones are sent/],
  ["unverified", "native", true, "warning", /^nobody can say .*native ones are sent/],
  ["unverified", "classic", true, "ok", /classic ones are sent/],
  // A run asks nothing, and what it sends is lost where the store does not take it.
  [true, "auto", false, "warning", /^stores .*classic ones are sent.*\(--no-preflight\)/],
  [false, "auto", false, "warning", /classic ones are sent/],
  [false, "native", false, "problem", /^does not store .*native ones are sent/],
] as const)(
  "where histograms are stored: %j, with trends %s and preflight %j, is %s",
  (stored, trends, preflight, level, says) => {
    const options = { url, protocol: "auto", trends, preflight } as const;
    for (const application of ["Prometheus", undefined]) {
      const check = checkHistograms(stored, options, application);
      expect(check).toMatchObject({ level, text: expect.stringMatching(says) });
      expect(check.change === undefined).toBe(level === "ok");
      expect(check.facts).toEqual({ stored: stored === "unverified" ? null : stored });
    }
  },
);

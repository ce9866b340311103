import { describe, expect, it } from "vitest";
import {
  formatClock,
  formatDuration,
  formatElapsed,
  formatFullTime,
  formatPeriod,
  formatRelative,
  zoneName,
} from "../../../src/web/format/time.ts";

const at = Date.UTC(2026, 10, 22, 22, 8, 44);

describe("times of the page", () => {
  it("are in the order of ISO 8601, with their zone", () => {
    expect(formatFullTime(at, "Europe/Berlin")).toBe("2026-11-22 23:08:44 GMT+1");
    expect(formatFullTime(at, "UTC")).toBe("2026-11-22 22:08:44 UTC");
    expect(formatFullTime(Date.UTC(2026, 6, 1, 22), "Europe/Berlin")).toBe(
      "2026-07-02 00:00:00 GMT+2",
    );
    expect(formatClock(at, "Asia/Kolkata")).toBe("03:38:44");
  });

  it("name a zone once", () => {
    expect(zoneName(at, "Europe/Berlin")).toBe("Europe/Berlin, GMT+1");
    expect(zoneName(at, "UTC")).toBe("UTC");
  });

  it.each([
    [0, "just now"],
    [9_000, "just now"],
    [59_000, "59 s ago"],
    [119_000, "1 min ago"],
    [3 * 3_600_000, "3 h ago"],
    [6.9 * 86_400_000, "6 d ago"],
    [-7_200_000, "in 2 h"],
  ])("%d ms later it was %s", (laterMs, words) => {
    expect(formatRelative(at, at + laterMs)).toBe(words);
  });

  it("say the day of what is longer ago than a week", () => {
    expect(formatRelative(at, at + 30 * 86_400_000)).toMatch(/^2026-11-2\d$/);
  });

  it.each([
    [0.34, "340 ms"],
    [0.9996, "1.0 s"],
    [12.34, "12.3 s"],
    [59.96, "1 min 00 s"],
    [123, "2 min 03 s"],
    [3_725, "1 h 02 min"],
    [90_000, "1 d 1 h"],
    [null, "–"],
  ])("%d s are %s", (seconds, words) => {
    expect(formatDuration(seconds)).toBe(words);
  });

  it("count up in whole seconds", () => {
    expect([formatElapsed(123.9), formatElapsed(3_723), formatElapsed(-1)]).toEqual([
      "02:03",
      "1:02:03",
      "00:00",
    ]);
  });

  it("say periods in the largest whole unit", () => {
    expect([3_600, 86_400, 7 * 86_400, 90].map(formatPeriod)).toEqual([
      "1 hour",
      "1 day",
      "7 days",
      "2 minutes",
    ]);
  });
});

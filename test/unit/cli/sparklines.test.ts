import { describe, expect, it } from "vitest";
import { toCourseText, toSparkline } from "../../../src/cli/sparklines.ts";

describe("a sparkline", () => {
  it.each([
    ["from 0 to the largest", [0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"],
    ["small differences on a high level", [99, 100, 98], "███"],
    ["gaps", [null, 7, null, 0], " █ ▁"],
    ["nothing but zero", [0, 0], "▁▁"],
    ["nothing", [null, null], "  "],
    ["what is below zero", [-3, 3], "▁█"],
  ])("shows %s", (_, values, expected) => expect(toSparkline(values)).toBe(expected));
});

describe("the course of a run", () => {
  const chart = (id: string, unit: "count" | "seconds", name: string, values: number[]) => ({
    id,
    title: id,
    description: "",
    unit,
    series: [{ name, values }],
  });
  const set = { set: "run" as const, step: 2, times: [2, 4, 6], missing: [] };

  it("names what it shows, with the least and the most of it", () => {
    const text = toCourseText({
      ...set,
      charts: [
        chart("latency", "seconds", "p95", [0.0123, 0.5, 1.5]),
        chart("vus", "count", "running", [1, 10, 5]),
        chart("data", "count", "sent", [1, 1, 1]),
      ],
    });
    expect(text.split("\n")).toEqual([
      "",
      "COURSE  of 00:06, 2 s each  LEAST    MOST",
      "p95     ▁▃█                 12.3 ms  1.50 s",
      "VUs     ▂█▅                       1      10",
      "",
    ]);
  });

  it("is silent where the store has none", () => {
    expect(toCourseText({ ...set, charts: [] })).toBe("");
  });
});

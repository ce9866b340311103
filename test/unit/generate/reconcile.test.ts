import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { MetricTotals } from "../../../src/aggregate/metric-totals.ts";
import { readK6Summary } from "../../../src/generate/k6-summary.ts";
import { countsOf, reconcile } from "../../../src/generate/reconcile.ts";
import type { MetricType } from "../../../src/sample/metric.ts";

const total = (name: string, type: MetricType, value: number, zeros = 0): MetricTotals => ({
  metric: { name, type, contains: "default" },
  value,
  zeros,
  peak: value,
});

describe("countsOf", () => {
  it("takes counters and both sides of rates out of k6's summary, and no submetric", async () => {
    const file = new URL("../../golden/k6/summary-v1.8.1.json", import.meta.url);
    const counts = countsOf(await readK6Summary(fileURLToPath(file)));
    expect(counts).toEqual(
      expect.arrayContaining([
        { metric: "http_req_failed", stat: "nonzero", value: 20 },
        { metric: "http_req_failed", stat: "zero", value: 40 },
        { metric: "checks", stat: "nonzero", value: 48 },
        { metric: "checks", stat: "zero", value: 32 },
        { metric: "http_reqs", stat: "count", value: 60 },
      ]),
    );
    expect(counts.filter(({ metric }) => metric.includes("{"))).toEqual([]);
    expect(counts.map(({ metric }) => metric)).not.toContain("http_req_duration");
  });
});

describe("reconcile", () => {
  it("finds each count that differs, and one that was never seen", () => {
    const counts = [
      { metric: "http_reqs", stat: "count", value: 10 },
      { metric: "checks", stat: "nonzero", value: 4 },
      { metric: "checks", stat: "zero", value: 1 },
      { metric: "lost", stat: "count", value: 2 },
    ] as const;
    const totals = [total("http_reqs", "counter", 10), total("checks", "rate", 4, 2)];
    expect(reconcile(counts, totals)).toEqual({
      compared: 4,
      differences: [
        { metric: "checks", stat: "zero", generator: 1, plimsoll: 2 },
        { metric: "lost", stat: "count", generator: 2, plimsoll: 0 },
      ],
    });
  });

  it("takes sums of fractions as equal that differ in their last digits only", () => {
    const counts = [{ metric: "revenue", stat: "count", value: 0.1 + 0.2 }] as const;
    expect(reconcile(counts, [total("revenue", "counter", 0.3)]).differences).toEqual([]);
    expect(reconcile(counts, [total("revenue", "counter", 0.31)]).differences).toHaveLength(1);
  });
});

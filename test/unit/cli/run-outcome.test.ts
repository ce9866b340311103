import { describe, expect, it } from "vitest";
import type { MetricTotals } from "../../../src/aggregate/metric-totals.ts";
import { toVerdicts } from "../../../src/cli/run-outcome.ts";
import { thresholdsOf } from "../../../src/generate/k6-thresholds.ts";
import { readK6Summary } from "../../../src/generate/k6-summary.ts";

const golden = new URL("../../golden/k6/", import.meta.url).pathname;

const requests: MetricTotals = {
  metric: { name: "http_reqs", type: "counter", contains: "default" },
  value: 60,
  zeros: 0,
  peak: -Infinity,
};
const byK6 = (metric: string, threshold: string, ok: boolean, value?: number) => ({
  metric,
  threshold,
  ok,
  value,
});

describe("the verdicts of a run's thresholds", () => {
  it("are k6's and ours, with the value that we compared", () => {
    const rate = byK6("http_reqs", "rate>5", true, 5.9);
    expect(toVerdicts([rate, byK6("http_reqs", "count<60", true)], [requests], 10)).toMatchObject([
      { expression: "rate>5", value: 6, ok: true, generatorOk: true },
      // Where they differ, both are there.
      { expression: "count<60", value: 60, ok: false, generatorOk: true },
    ]);
  });

  it("are k6's alone for a submetric, for samples that are missing, and for what only k6 understands", () => {
    const submetric = byK6("http_reqs{status:404}", "count<1", true, 0);
    const unknown = byK6("http_reqs", "stddev<1", false);
    for (const verdict of toVerdicts([submetric, unknown], [requests], 10)) {
      expect(verdict.ok).toBeUndefined();
    }
    const whole = byK6("http_reqs", "count>1", true, 60);
    expect(toVerdicts([whole], undefined, 10)).toMatchObject([
      { value: 60, ok: undefined, generatorOk: true },
    ]);
    expect(toVerdicts([submetric], [requests], 10)).toMatchObject([
      { value: 0, generatorOk: true },
    ]);
  });
});

describe("thresholdsOf", () => {
  it.each(["summary-v2.2.0.json", "summary-v1.8.1.json"])(
    "has the values that k6 compared, by name, from %s",
    async (file) => {
      const summary = await readK6Summary(`${golden}${file}`);
      const found = thresholdsOf(summary);
      const valueAt = (metric: string, stat: string) =>
        summary.metrics.get(metric)?.values.get(stat);
      const details = "http_req_duration{group:::shop::details}";
      expect(found).toEqual([
        byK6("checks{check:answers 200}", "rate==1", true, 1),
        byK6("checks{kind:strict}", "rate>0.99", false, valueAt("checks{kind:strict}", "value")),
        byK6(
          "group_duration{group:::shop}",
          "avg<2000",
          true,
          valueAt("group_duration{group:::shop}", "avg"),
        ),
        byK6(details, "max<2000", true, valueAt(details, "max")),
        byK6(details, "p(95)<1000", true, valueAt(details, "p(95)")),
        byK6("http_reqs{status:404}", "count>0", true, valueAt("http_reqs{status:404}", "count")),
      ]);
      for (const { value } of found) expect(value).toBeTypeOf("number");
    },
  );
});

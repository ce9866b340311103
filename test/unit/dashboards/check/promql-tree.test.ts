import { describe, expect, it } from "vitest";
import { Catalogue, parseRecording } from "../../../../src/dashboards/check/catalogue.ts";
import { dimensionOf } from "../../../../src/dashboards/check/dimension.ts";
import { answerOf } from "../../../../src/dashboards/check/labels.ts";
import { pipelineMetrics } from "../../../../src/dashboards/check/pipeline-metrics.ts";
import { parsePromql, type Expr } from "../../../../src/dashboards/check/promql-tree.ts";
import { misfit } from "../../../../src/dashboards/check/units.ts";

const catalogue = new Catalogue();
for (const entry of [
  ...(await pipelineMetrics()),
  ...parseRecording(
    `a_total counter x y
b_bytes gauge x z
c_seconds_total counter x
d_seconds histogram x
boot_time_seconds gauge
disk_io_ms_total counter
free_ratio gauge`,
  ),
]) {
  catalogue.add(entry);
}

function parse(text: string): Expr {
  return parsePromql(text) ?? expect.unreachable(`${text} is no PromQL`);
}

const labelsOf = (text: string): string[] =>
  [...answerOf(parse(text), catalogue).labels].toSorted();

describe("the labels of an answer", () => {
  it.each([
    ["a_total", ["instance", "job", "x", "y"]],
    ["sum by (x) (rate(a_total[1m]))", ["x"]],
    ["sum without (x, job, instance) (a_total)", ["y"]],
    ["topk(3, sum by (x, y) (a_total))", ["x", "y"]],
    ["histogram_quantile(0.9, sum by (le, x) (rate(d_seconds_bucket[1m])))", ["x"]],
    ['count_values by (x) ("v", a_total)', ["v", "x"]],
    ['label_replace(sum by (x) (a_total), "made", "$1", "x", "(.*)")', ["made", "x"]],
    ["sum by (x) (a_total) or sum by (z) (b_bytes)", ["x", "z"]],
    ["sum by (x, y) (a_total) * on (x) group_left (z) b_bytes", ["x", "y", "z"]],
    ["sum by (x) (a_total) * on (x) sum by (x, z) (b_bytes)", ["x"]],
    ["sum by (x) (a_total) > 3", ["x"]],
    ["vector(1)", []],
    ['absent(a_total{x="1", y=~"2"})', ["x"]],
    ["max_over_time(sum by (x) (a_total)[1h:1m]) offset 5m", ["x"]],
  ])("of %s are %j", (text, labels) => {
    expect(labelsOf(text)).toEqual(labels);
  });

  it.each([
    ["sum by (z) (a_total)", 'no label "z"'],
    ["a_total * on (z) group_left () b_bytes", 'no label "z"'],
    ["a_total * on (x) group_left (y) b_bytes", 'no label "y"'],
    ['label_replace(b_bytes, "made", "$1", "y", ".*")', 'no label "y"'],
    ["sum without (q) (a_total)", 'no label "q"'],
    ["b_byte", 'no metric "b_byte" (did you mean "b_bytes"?)'],
    ['{__name__=~"q_.*"}', 'no metric "q_.*"'],
  ])("of %s miss one: %s", (text, problem) => {
    expect(answerOf(parse(text), catalogue).problems.join("\n")).toContain(problem);
  });

  it("are not known of what is no PromQL", () => {
    expect(parsePromql("sum(rate(a_total[1m])")).toBeUndefined();
    expect(parsePromql("a_total b_bytes")).toBeUndefined();
  });
});

describe("a unit", () => {
  it.each([
    ["rate(a_total[1m])", "reqps", "s"],
    ["rate(c_seconds_total[1m])", "percentunit", "s"],
    ["rate(c_seconds_total[1m]) / rate(a_total[1m])", "s", "percentunit"],
    ["b_bytes", "bytes", "short"],
    ["b_bytes / b_bytes", "percentunit", "bytes"],
    ["100 * b_bytes / b_bytes", "percent", "percentunit"],
    ["deriv(b_bytes[5m])", "Bps", "bytes"],
    ["8 * rate(k6_data_sent_total[1m])", "bps", "Bps"],
    ["histogram_quantile(0.9, sum by (le) (rate(d_seconds_bucket[1m])))", "s", "reqps"],
    ["histogram_quantile(0.9, sum(rate(k6_http_req_duration_seconds[1m])))", "s", "short"],
    ["histogram_sum(rate(k6_http_req_duration_seconds[1m]))", "short", "s"],
    ["rate(d_seconds_sum[1m]) / rate(d_seconds_count[1m])", "s", "ms"],
    ["1000 * rate(d_seconds_sum[1m]) / rate(d_seconds_count[1m])", "ms", "s"],
    ["rate(disk_io_ms_total[1m]) / 1000", "percentunit", "ms"],
    ["time() - boot_time_seconds", "s", "dateTimeAsIso"],
    ["boot_time_seconds * 1000", "dateTimeFromNow", "s"],
    ["a_total - b_bytes offset 5m / b_bytes", "short", "percentunit"],
    ["avg_over_time((b_bytes > bool 5)[1h:])", "percentunit", "bytes"],
    ["free_ratio or vector(0)", "percentunit", "short"],
    ["k6_http_req_failed_rate", "percentunit", "reqps"],
    ['plimsoll_run_summary{metric="http_req_duration", stat="p95"}', "s", "short"],
    ['plimsoll_run_summary{metric="http_req_failed", stat="rate"}', "percentunit", "s"],
    ['plimsoll_run_summary{metric="http_reqs", stat="count"}', "short", "s"],
  ])("of %s is %s, not %s", (text, fitting, other) => {
    const dimension = dimensionOf(parse(text), catalogue) ?? expect.unreachable(text);
    expect(misfit(fitting, dimension)).toBeUndefined();
    expect(misfit(other, dimension)).toContain(`the unit is "${other}", but the values are`);
  });

  it.each(["b_bytes * 3", "stdvar(b_bytes)", "b_bytes ^ 2", "b_bytes + boot_time_seconds"])(
    "of %s is not judged",
    (text) => {
      expect(dimensionOf(parse(text), catalogue)).toBeUndefined();
    },
  );
});

/** docs/metrics.md has every series, reason and metric. `UPDATE_DOCS=1` rewrites the table of our own metrics. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parseTrendStat } from "../../src/aggregate/trend-stat.ts";
import { PrometheusMapper, type TrendForm } from "../../src/encode/prometheus-mapper.ts";
import { runFamilies } from "../../src/output/run-series.ts";
import { selfMetrics } from "../../src/output/self-metrics.ts";
import { serverMetricNames } from "../../src/server/server-metrics.ts";
import { metricTypes, type MetricType } from "../../src/sample/metric.ts";
import { dropReasons } from "../../src/sample/sample.ts";
import { expectGeneratedTable, readTable, uncode } from "../support/markdown.ts";

it("documents the series of each k6 type", async () => {
  const rows = await readTable("metrics.md", "## From k6's metrics to series");
  expect(rows).toHaveLength(10);
  for (const type of metricTypes) {
    const documented = rows.filter(([of]) => of === type).map(([, series]) => uncode(series));
    expect(new Set(documented)).toEqual(seriesOf(type));
  }
});

/** The series that a metric of times becomes, as the docs spell them. */
function seriesOf(type: MetricType): Set<string> {
  const forms: readonly TrendForm[] = type === "trend" ? ["native", "classic", "none"] : ["none"];
  const series = forms.flatMap((trendForm) => {
    let id = 0;
    const trendStats = [parseTrendStat("p(99)") ?? expect.unreachable()];
    const options = { runLabels: [], extraTags: new Map(), trendForm, trendStats, maxSeries: 1e6 };
    const mapper = new PrometheusMapper(
      { ...options, relabel: (labels) => [...labels] },
      () => (id += 1),
    );
    const mapped = mapper.map({ name: "NAME", type, contains: "time" }, new Map());
    return typeof mapped === "string" ? [] : mapped.outputs.map((output) => output.series.labels);
  });
  return new Set(
    series.map((labels) => {
      const values = new Map(labels.map(({ name, value }) => [name, value]));
      const condition = values.get("condition");
      const le = values.has("le") ? '{le="…"}' : "";
      const name = values.get("__name__") ?? "";
      return `${name.replace("_p99", "_<stat>")}${condition ? `{condition="${condition}"}` : le}`.replace(
        "NAME",
        "<metric>",
      );
    }),
  );
}

it("documents every reason to drop a sample", async () => {
  const rows = await readTable("metrics.md", "## What becomes of each sample");
  expect(rows.map(([reason]) => uncode(reason))).toEqual([...dropReasons]);
  expect(rows).toHaveLength(8);
});

it("documents every reason for which points are lost", async () => {
  const equation =
    "    points encoded (+ found in the spool) = delivered + pending + rejected (by reason)";
  const rows = await readTable("metrics.md", equation);
  const documented = rows.map(([reason]) => uncode(reason));
  // The reasons of answers that are tried again are no reasons to lose anything.
  const inSource = new Set<string>(["http_<status>", "http_<status>_after_restart"]);
  for (const file of ["send/account", "send/request-sender", "send/sender", "spool/spool"]) {
    const source = await readFile(new URL(`../../src/${file}.ts`, import.meta.url), "utf8");
    const literals = source.matchAll(/\.lose\("(\w+)"|reason: "(\w+)"|\? "(spool_\w+)" : "(\w+)"/g);
    for (const [, ...reasons] of literals) {
      for (const reason of reasons) if (reason !== undefined) inSource.add(reason);
    }
  }
  expect(documented.toSorted()).toEqual([...inSource].sort());
  expect(documented).toHaveLength(7);
});

it("documents the run's own series", async () => {
  const rows = await readTable("metrics.md", "## The run's own series");
  expect(rows.map(([name]) => uncode(name))).toEqual(Object.keys(runFamilies));
  expect(rows).toHaveLength(8);
});

it("lists our own metrics", async () => {
  expect(selfMetrics.length).toBeGreaterThanOrEqual(20);
  await expectGeneratedTable(
    "metrics.md",
    "<!-- begin: generated from src/output/self-metrics.ts -->",
    [
      ["Metric", "Kind", "Value"],
      ...selfMetrics.map(({ name, kind, help }) => [`\`${name}\``, kind, help]),
    ],
  );
});

it("lists the metrics of a server", async () => {
  const rows = await readTable("metrics.md", "### Of a server");
  expect(rows.map(([name]) => uncode(name))).toEqual(Object.values(serverMetricNames));
  expect(rows).toHaveLength(5);
});

it("gives our own metrics names of Prometheus' kind", () => {
  for (const { name, kind } of selfMetrics) {
    expect(name).toMatch(/^plimsoll_[a-z_]+$/);
    expect(name.endsWith("_total")).toBe(kind === "counter");
    if (kind === "histogram") expect(name).toMatch(/_seconds$/);
  }
});

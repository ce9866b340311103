import { describe, expect, it } from "vitest";
import { dashboards } from "../../../src/dashboards/all.ts";
import {
  wholeQuantile,
  buckets,
  k6,
  perSecond,
  secondsPerSecond,
} from "../../../src/dashboards/promql.ts";
import { builtinSeries } from "../../../src/encode/metric-names.ts";
import { PrometheusMapper } from "../../../src/encode/prometheus-mapper.ts";
import { runFamilies } from "../../../src/output/run-series.ts";
import { selfMetrics } from "../../../src/output/self-metrics.ts";
import { builtinMetrics } from "../../../src/sample/builtin-metrics.ts";

describe("the table of k6's series", () => {
  it("has the series that are sent, each with the type and unit of its family", () => {
    const sent = new Map<string, string>();
    for (const trendForm of ["native", "classic"] as const) {
      let id = 0;
      const mapper = new PrometheusMapper(
        {
          runLabels: [],
          extraTags: new Map(),
          trendForm,
          trendStats: [],
          maxSeries: Infinity,
          relabel: (labels) => [...labels],
        },
        () => (id += 1),
      );
      for (const metric of builtinMetrics.values()) {
        const mapped = mapper.map(metric, new Map());
        if (typeof mapped === "string") expect.unreachable(`${metric.name}: ${mapped}`);
        for (const { series } of mapped.outputs) {
          const name = series.labels.find((label) => label.name === "__name__")?.value ?? "";
          sent.set(name, series.family.unit);
        }
      }
    }
    expect([...builtinSeries.keys()].sort()).toEqual([...sent.keys()].sort());
    expect(sent.size).toBeGreaterThan(80);
    expect(builtinSeries.get("k6_http_reqs_total")).toEqual({ type: "counter", unit: "" });
    expect(builtinSeries.get("k6_data_sent_total")).toEqual({ type: "counter", unit: "bytes" });
    expect(builtinSeries.get("k6_http_req_duration_seconds")).toEqual({
      type: "histogram",
      unit: "seconds",
    });
  });
});

describe("a query of k6's metrics", () => {
  it.each([
    ["a series", () => k6("http_req_total")],
    ["a counter", () => perSecond("http_req")],
    ["a trend", () => buckets("http_req_durations")],
    ["a trend's total", () => wholeQuantile(0.5, "http_reqs")],
    ["a trend's time", () => secondsPerSecond("data_sent")],
  ])("is refused where %s is not stored under that name", (_, ask) => {
    expect(ask).toThrow(/no metric of k6 is stored as k6_/);
  });
});

it("asks for no metric of ours, or of k6, that is not stored", () => {
  const known = new Set([
    ...builtinSeries.keys(),
    ...Object.keys(runFamilies),
    ...selfMetrics.flatMap(({ name, kind }) =>
      kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
    // A trend with its suffix yet to come; what a detector of anomalies will write.
    ...[...builtinSeries.keys()].map((name) => name.replace(/_seconds$/, "")),
    "plimsoll_anomaly",
  ]);
  const asked = Object.entries(dashboards).flatMap(([name, create]) => {
    const text = JSON.stringify(create());
    return [...text.matchAll(/"expr":"((?:[^"\\]|\\.)*)"/g)].flatMap(([, expr = ""]) =>
      // A name, not a part of one, and not a pattern of names.
      [...expr.matchAll(/(?<![\w"~])(?:k6|plimsoll)_\w+/g)].map(([metric]) => ({ name, metric })),
    );
  });
  expect(asked.length).toBeGreaterThan(200);
  expect(asked.filter(({ metric }) => !known.has(metric))).toEqual([]);
});

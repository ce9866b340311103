/**
 * The metrics that the pipeline writes, from the code that names them: k6's built-in ones, the run's own, Plimsoll's.
 */
import { RunSeries } from "../../output/run-series.ts";
import { selfMetrics } from "../../output/self-metrics.ts";
import { parseTrendStat } from "../../aggregate/trend-stat.ts";
import { ExponentialHistogram } from "../../aggregate/exponential-histogram.ts";
import type { MetricFamily, OutputSeries } from "../../aggregate/series-point.ts";
import { PrometheusMapper, type TrendForm } from "../../encode/prometheus-mapper.ts";
import type { Metric, MetricType, ValueKind } from "../../sample/metric.ts";
import type { BaseUnit, MetricEntry, MetricKind } from "./catalogue.ts";

/** k6's built-in metrics by type and kind of value. Source: k6 `metrics/builtin.go`, 2.2.0. */
const builtIn: readonly (readonly [MetricType, ValueKind, readonly string[]])[] = [
  ["gauge", "default", ["vus", "vus_max"]],
  [
    "counter",
    "default",
    [
      "iterations",
      "dropped_iterations",
      "http_reqs",
      "ws_sessions",
      "ws_msgs_sent",
      "ws_msgs_received",
      "grpc_streams",
      "grpc_streams_msgs_sent",
      "grpc_streams_msgs_received",
    ],
  ],
  ["counter", "data", ["data_sent", "data_received", "browser_data_sent", "browser_data_received"]],
  ["rate", "default", ["checks", "http_req_failed", "browser_http_req_failed"]],
  [
    "trend",
    "time",
    [
      "iteration_duration",
      "group_duration",
      "http_req_duration",
      "http_req_blocked",
      "http_req_connecting",
      "http_req_tls_handshaking",
      "http_req_sending",
      "http_req_waiting",
      "http_req_receiving",
      "ws_connecting",
      "ws_ping",
      "ws_session_duration",
      "grpc_req_duration",
      "browser_http_req_duration",
      "browser_web_vital_ttfb",
      "browser_web_vital_lcp",
      "browser_web_vital_fcp",
      "browser_web_vital_inp",
    ],
  ],
  ["trend", "default", ["browser_web_vital_cls"]],
];

export const k6Metrics: readonly Metric[] = builtIn.flatMap(([type, contains, names]) =>
  names.map((name) => ({ name, type, contains })),
);

/** Tags of k6's samples that are on by default. Source: k6 `metrics/system_tag.go`. */
const systemTags = [
  "check",
  "error",
  "error_code",
  "expected_response",
  "group",
  "method",
  "name",
  "proto",
  "scenario",
  "service",
  "status",
  "subproto",
  "tls_version",
];

/** Labels of runs and generators that our docs ask for with `--tag`; a dashboard may ask for no others. */
const taggedLabels = [
  "version",
  "commit",
  "branch",
  "environment",
  "instance_id",
  "load_zone",
  "region",
  "zone",
];

const runLabels = ["testid", "test"];

/** Every form of a trend: which of them a store has is its own matter. */
export function pipelineMetrics(): MetricEntry[] {
  return [...k6Entries(), ...runEntries(), ...selfEntries()];
}

function k6Entries(): MetricEntry[] {
  const labels = [...runLabels, ...systemTags, ...taggedLabels];
  const stats = ["count", "sum", "min", "max", "avg", "med", "p(90)", "p(95)", "p(99)"];
  const trendStats = stats.flatMap((stat) => parseTrendStat(stat) ?? []);
  const options = { runLabels: [], extraTags: new Map(), trendStats, maxSeries: Infinity };
  const forms: readonly TrendForm[] = ["native", "classic"];
  return forms.flatMap((trendForm) => {
    let id = 0;
    const mapper = new PrometheusMapper(
      { ...options, trendForm, relabel: (all) => [...all] },
      () => (id += 1),
    );
    return k6Metrics.flatMap((metric) => {
      const mapped = mapper.map(metric, new Map());
      if (typeof mapped === "string") return [];
      const outputs = mapped.outputs.map(({ role, series }): MetricEntry => {
        const name = nameOf(series);
        const own = series.labels
          .map((label) => label.name)
          .filter((label) => label !== "__name__");
        const all = new Set([...labels, ...own]);
        if (role === "native") {
          return { name, kind: "native histogram", labels: all, unit: unitOf(series.family) };
        }
        if (role === "bucket") {
          const observed = unitOf(series.family);
          return { name, kind: "counter", labels: all, unit: "items", observed };
        }
        const unit = role === "rate" ? "ratio" : role === "count" ? "items" : unitOf(series.family);
        const kind: MetricKind =
          role === "value" || role === "rate" || role === "stat" ? "gauge" : "counter";
        return { name, kind, labels: all, unit };
      });
      return outputs;
    });
  });
}

const nameOf = ({ labels }: OutputSeries): string =>
  labels.find(({ name }) => name === "__name__")?.value ?? "";

function unitOf({ unit }: MetricFamily): BaseUnit {
  return unit === "seconds" || unit === "bytes" || unit === "milliseconds" ? unit : "items";
}

/** What a run writes when it begins and ends, asked of the code that writes it. */
function runEntries(): MetricEntry[] {
  const labels = new Map<string, Set<string>>();
  const info = new Map(["generator", ...taggedLabels].map((name) => [name, "x"]));
  let id = 0;
  const series = new RunSeries(
    {
      float: (written) => {
        const all = labels.get(nameOf(written)) ?? new Set();
        for (const { name } of written.labels) if (name !== "__name__") all.add(name);
        labels.set(nameOf(written), all);
      },
      histogram: () => undefined,
      stale: () => undefined,
      requestEnd: () => undefined,
      intervalEnd: () => undefined,
    },
    { identity: { testid: "x", test: "x" }, info, nextId: () => (id += 1), startMs: () => 0 },
  );
  const trend = new ExponentialHistogram();
  trend.observe(1);
  const metric: Metric = { name: "x", type: "trend", contains: "time" };
  series.finish(1, {
    state: "finished",
    startMs: 0,
    endMs: 1,
    totals: [{ metric, value: 1, zeros: 0, peak: 0, trend }],
    thresholds: [{ metric: "x", threshold: "x", ok: true }],
  });
  // The detector of anomalies writes this one, and only where there is one.
  labels.set("plimsoll_anomaly", new Set([...runLabels, "signal", "kind"]));
  const units: Readonly<Record<string, BaseUnit | undefined>> = {
    plimsoll_run_start_time_seconds: "timestamp",
    plimsoll_run_end_time_seconds: "timestamp",
    plimsoll_run_summary: undefined,
  };
  return [...labels].map(([name, all]) => ({
    name,
    kind: "gauge",
    labels: all,
    unit: name in units ? units[name] : "items",
  }));
}

function selfEntries(): MetricEntry[] {
  return selfMetrics.map(({ name, kind }) => {
    const reason = /_(dropped|rejected)_/.test(name) ? ["reason"] : [];
    const unit = name.endsWith("_timestamp_seconds")
      ? "timestamp"
      : /_bytes(_total)?$/.test(name)
        ? "bytes"
        : "items";
    return { name, kind, labels: new Set([...reason, "job", "instance"]), unit };
  });
}

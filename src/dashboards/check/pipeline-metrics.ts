/**
 * The metrics that the pipeline writes, from the code that names them: k6's built-in ones, the run's own, Plimsoll's.
 */
import { RunSeries } from "../../output/run-series.ts";
import type { OutputProgress } from "../../output/output-progress.ts";
import { createSelfMetrics } from "../../output/self-metrics-registry.ts";
import type { Output } from "../../aggregate/series-mapper.ts";
import { parseTrendStat } from "../../aggregate/trend-stat.ts";
import { ExponentialHistogram } from "../../aggregate/exponential-histogram.ts";
import type { MetricFamily, OutputSeries } from "../../aggregate/series-point.ts";
import { PrometheusMapper, type TrendForm } from "../../encode/prometheus-mapper.ts";
import { builtinMetrics } from "../../sample/builtin-metrics.ts";
import type { Metric } from "../../sample/metric.ts";
import { parseRecording, unitOfName, type BaseUnit, type MetricEntry } from "./catalogue.ts";
import { parseExposition, toRecording } from "./exposition.ts";

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

/** Of those, the ones that tell the generators of one run apart. */
const generatorTags = ["instance_id", "load_zone"];

/** Every form of a trend: which of them a store has is its own matter. */
export async function pipelineMetrics(): Promise<MetricEntry[]> {
  const forms: readonly TrendForm[] = ["native", "classic"];
  return [...forms.flatMap(k6Entries), ...runEntries(), ...(await selfEntries())];
}

function mapperOf(trendForm: TrendForm): PrometheusMapper {
  const stats = ["count", "sum", "min", "max", "avg", "med", "p(90)", "p(95)", "p(99)"];
  const trendStats = stats.flatMap((stat) => parseTrendStat(stat) ?? []);
  const options = {
    runLabels: [],
    extraTags: new Map(),
    trendForm,
    trendStats,
    maxSeries: Infinity,
  };
  return new PrometheusMapper({ ...options, relabel: (all) => [...all] }, () => 0);
}

function k6Entries(form: TrendForm): MetricEntry[] {
  const mapper = mapperOf(form);
  return [...builtinMetrics.values()].flatMap((metric) => {
    const mapped = mapper.map(metric, new Map());
    return typeof mapped === "string" ? [] : mapped.outputs.map(toEntry);
  });
}

function toEntry({ role, series }: Output): MetricEntry {
  const name = nameOf(series);
  const own = series.labels.map((label) => label.name).filter((label) => label !== "__name__");
  const labels = new Set([...runLabels, ...systemTags, ...taggedLabels, ...own]);
  const unit = unitOf(series.family);
  switch (role) {
    case "native":
      // It has no buckets of its own; `by (le)` keeps nothing then, and one query serves both forms.
      return { name, kind: "native histogram", labels: new Set([...labels, "le"]), unit };
    case "bucket":
      return { name, kind: "counter", labels, unit: "items", observed: unit };
    case "count":
      return { name, kind: "counter", labels, unit: "items" };
    case "total":
    case "nonzero":
    case "zero":
    case "sum":
      return { name, kind: "counter", labels, unit };
    case "rate":
      return { name, kind: "gauge", labels, unit: "ratio" };
    case "value":
    case "stat":
      return { name, kind: "gauge", labels, unit };
  }
}

const nameOf = ({ labels }: OutputSeries): string =>
  labels.find(({ name }) => name === "__name__")?.value ?? "";

function unitOf({ unit }: MetricFamily): BaseUnit {
  return unit === "seconds" || unit === "bytes" || unit === "milliseconds" ? unit : "items";
}

/** What a run writes when it begins and ends, asked of the code that writes it. */
function runEntries(): MetricEntry[] {
  const labels = new Map<string, Set<string>>();
  const collect = (series: OutputSeries): void => {
    const all = labels.get(nameOf(series)) ?? new Set();
    for (const { name } of series.labels) if (name !== "__name__") all.add(name);
    labels.set(nameOf(series), all);
  };
  const ignore = (): void => undefined;
  const points = {
    float: collect,
    histogram: ignore,
    stale: ignore,
    requestEnd: ignore,
    intervalEnd: ignore,
  };
  const identity = { testid: "x", test: "x" };
  const info = new Map(["generator", ...taggedLabels].map((name) => [name, "x"]));
  const generatorLabels = new Map(generatorTags.map((name) => [name, "x"]));
  const options = { identity, info, generatorLabels, nextId: () => 0, startMs: () => 0 };
  const trend = new ExponentialHistogram();
  trend.observe(1);
  const metric: Metric = { name: "x", type: "trend", contains: "time" };
  const end = {
    state: "finished" as const,
    startMs: 0,
    endMs: 1,
    totals: [{ metric, value: 1, zeros: 0, peak: 0, trend }],
    thresholds: [{ metric: "x", threshold: "x", ok: true }],
    samples,
    counts: [{ metric: "x", stat: "count" as const, value: 1 }],
  };
  new RunSeries(points, options).finish(1, end);
  // The detector of anomalies writes this one, where there is one.
  labels.set("plimsoll_anomaly", new Set([...runLabels, "signal", "kind"]));
  return [...labels].map(([name, all]) => {
    // A summary's unit is in its labels: see `dimension.ts`.
    const unit =
      name === "plimsoll_run_summary" ? undefined : (unitOfName(name, "gauge") ?? "items");
    return { name, kind: "gauge", labels: all, unit };
  });
}

const samples = {
  read: 1,
  aggregated: 1,
  late: 0,
  dropped: new Map([["not_finite" as const, 1]]),
};

/** Plimsoll's own `/metrics`, as it shows them; stored with the run they have the same labels but job and instance. */
async function selfEntries(): Promise<MetricEntry[]> {
  const points = { samples: 1, histograms: 1 };
  const rejected = new Map([
    ["http_400", points],
    ["spool_full", points],
  ]);
  const usage = { cpuSeconds: 1, residentBytes: 1 };
  const progress: OutputProgress = {
    samples,
    points: { recovered: 0, encoded: 1, delivered: 0, pending: 0, rejected: new Map() },
    pointsByType: {
      recovered: points,
      encoded: points,
      delivered: points,
      pending: points,
      rejected,
    },
    mapper: mapperOf("native").counts,
    sender: {
      requests: 0,
      bytesSent: 0,
      delivered: points,
      rejected,
      retried: points,
      newestDeliveredTimestampMs: undefined,
    },
    state: { kind: "retrying", sinceMs: 0, reason: "http_503", text: "" },
    spoolBytes: 0,
    corruptRecords: 0,
    encodedBytes: 0,
    newestEncodedMs: 0,
    requestDurations: { all: [{ protocol: "2", status: "2xx", counts: [1], sumSeconds: 1 }] },
    health: {
      cpus: 1,
      processes: new Map([["k6", usage]]),
      eventLoopDelaySeconds: 0,
      cpuRatio: undefined,
      maxCpuRatio: undefined,
      saturatedMs: 0,
      isSaturated: false,
    },
    atMs: 0,
  };
  const labels = [...runLabels, ...generatorTags];
  const ownLabels = Object.fromEntries(labels.map((name) => [name, "x"]));
  const text = await createSelfMetrics({ progress, ownLabels }).metrics();
  return parseRecording(toRecording(parseExposition(text)));
}

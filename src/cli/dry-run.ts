/**
 * `plimsoll ingest --dry-run`: the whole pipeline up to the encoded request, and then only numbers.
 */
import { Aggregator, type SampleCounts } from "../aggregate/aggregator.ts";
import type { SeriesMapper } from "../aggregate/series-mapper.ts";
import { parseTrendStat } from "../aggregate/trend-stat.ts";
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import { BatchEncoder } from "../encode/batch-encoder.ts";
import { PrometheusMapper } from "../encode/prometheus-mapper.ts";
import { createNameTemplate } from "../encode/name-templates.ts";
import { parseRelabelConfigs } from "../encode/parse-relabel-configs.ts";
import { relabel } from "../encode/relabel.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import { JsonLinesReader, type LineProblem } from "../sample/json-lines.ts";
import { formatBytes, formatCount, formatTable } from "./format.ts";
import type { IdentifiedRun } from "../output/identify.ts";

export interface DryRunReport extends RunIdentity {
  readonly samples: Omit<SampleCounts, "dropped"> & {
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly points: number;
  readonly requests: number;
  /** Bodies, compressed. */
  readonly bytes: number;
  readonly series: number;
  /** k6 series that went to `name="(other)"`. */
  readonly overflowed: number;
  /** Per k6 metric: its output series and their names. */
  readonly metrics: readonly {
    readonly metric: string;
    readonly type: string;
    readonly series: number;
    readonly names: readonly string[];
  }[];
  /** Per label: how many values it has, most first, and the first few. */
  readonly labels: readonly {
    readonly label: string;
    readonly values: number;
    readonly series: number;
    readonly examples: readonly string[];
  }[];
}

const exampleCount = 3;

/** Reads all of `chunks`. Nothing is sent and nothing is written. */
export async function dryRun(
  options: Options,
  { identity, tags }: IdentifiedRun,
  chunks: AsyncIterable<Buffer>,
  onProblem: (problem: LineProblem) => void,
): Promise<DryRunReport> {
  const { source, rules } = options.writeRelabelConfigs;
  const relabelRules = parseRelabelConfigs(rules, source);
  let points = 0;
  let requests = 0;
  let bytes = 0;
  const encoder = new BatchEncoder(options.protocol === "1" ? "1" : "2", (batch) => {
    points += batch.samples + batch.histograms;
    requests++;
    bytes += batch.body.length;
  });
  let lastId = -1;
  const mapper = new PrometheusMapper(
    {
      runLabels: [
        { name: "testid", value: identity.testid },
        { name: "test", value: identity.test },
      ],
      extraTags: tags,
      trendForm: options.trends === "auto" ? "native" : options.trends,
      trendStats: options.trendStats.flatMap((stat) => parseTrendStat(stat) ?? []),
      maxSeries: options.maxSeries,
      nameTemplate: createNameTemplate(options.nameTemplates),
      relabel: (labels) => relabel(labels, relabelRules),
    },
    () => ++lastId,
  );
  const census = new Census(mapper);
  const aggregator = new Aggregator(census, encoder, { ...options, clock: systemClock });
  const reader = new JsonLinesReader(aggregator, { onProblem });
  for await (const chunk of chunks) reader.write(chunk);
  reader.end();
  aggregator.finish();
  const { counts } = aggregator;
  return {
    ...identity,
    samples: { ...counts, dropped: Object.fromEntries(counts.dropped) },
    points,
    requests,
    bytes,
    series: mapper.counts.series,
    overflowed: mapper.counts.overflowed,
    ...census.count(),
  };
}

/** Remembers what a mapper made. */
class Census implements SeriesMapper {
  readonly #mapper: SeriesMapper;
  readonly #mapped = new Set<Exclude<ReturnType<SeriesMapper["map"]>, string>>();

  constructor(mapper: SeriesMapper) {
    this.#mapper = mapper;
  }

  map(...args: Parameters<SeriesMapper["map"]>): ReturnType<SeriesMapper["map"]> {
    const mapped = this.#mapper.map(...args);
    if (typeof mapped !== "string") this.#mapped.add(mapped);
    return mapped;
  }

  count(): Pick<DryRunReport, "metrics" | "labels"> {
    const metrics = new Map<string, { type: string; series: number; names: Set<string> }>();
    const labels = new Map<string, { values: Set<string>; series: number }>();
    for (const { metric, outputs } of this.#mapped) {
      const entry = metrics.get(metric.name) ?? { type: metric.type, series: 0, names: new Set() };
      metrics.set(metric.name, entry);
      entry.series += outputs.length;
      for (const { series } of outputs) {
        for (const { name, value } of series.labels) {
          if (name === "__name__") {
            entry.names.add(value);
            continue;
          }
          const label = labels.get(name) ?? { values: new Set(), series: 0 };
          labels.set(name, label);
          label.values.add(value);
          label.series++;
        }
      }
    }
    return {
      metrics: [...metrics]
        .map(([metric, { type, series, names }]) => ({ metric, type, series, names: [...names] }))
        .sort((a, b) => b.series - a.series),
      labels: [...labels]
        .map(([label, { values, series }]) => ({
          label,
          values: values.size,
          series,
          examples: [...values].slice(0, exampleCount),
        }))
        .sort((a, b) => b.values - a.values),
    };
  }
}

export function toDryRunText(report: DryRunReport): string {
  const { samples, points, requests, bytes } = report;
  const dropped = Object.entries(samples.dropped).map(([reason, count]) => `${reason} ${count}`);
  const bytesPerPoint = points > 0 ? bytes / points : 0;
  const head = formatTable([
    ["run", `${report.testid} (test ${report.test}); nothing was sent`],
    [
      "samples",
      `${formatCount(samples.read)} read = ${formatCount(samples.aggregated)} aggregated + ` +
        `${formatCount(samples.read - samples.aggregated)} dropped` +
        (dropped.length > 0 ? ` (${dropped.join(", ")})` : ""),
    ],
    [
      "series",
      formatCount(report.series) +
        (report.overflowed > 0
          ? `; ${formatCount(report.overflowed)} more went to name="(other)", see --max-series`
          : ""),
    ],
    [
      "requests",
      `${formatCount(requests)} with ${formatCount(points)} points, ${formatBytes(bytes)} ` +
        `(${bytesPerPoint.toFixed(1)} bytes per point)`,
    ],
  ]);
  const metrics = formatTable([
    ["METRIC", "TYPE", "SERIES", "NAMES"],
    ...report.metrics.map(({ metric, type, series, names }) => [
      metric,
      type,
      formatCount(series),
      names.length > 4 ? `${names.slice(0, 3).join(" ")} … ${names.length} names` : names.join(" "),
    ]),
  ]);
  const labels = formatTable([
    ["LABEL", "VALUES", "SERIES", "EXAMPLES"],
    ...report.labels.map(({ label, values, series, examples }) => [
      label,
      formatCount(values),
      formatCount(series),
      examples.map((example) => JSON.stringify(shortened(example))).join(" "),
    ]),
  ]);
  return `${head}\n${metrics}\n${labels}`;
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/**
 * Turns what Prometheus's HTTP API answers into Grafana's data frames.
 *
 * In:  series with float samples, histogram samples or both.
 * Out: a frame per series (`time_series`), a frame per query with a column per label (`table`), or frames of buckets
 *      over time (`heatmap`): classic ones from their `le` label, native ones as cells.
 *
 * Source: Prometheus's HTTP API, "Expression query result formats" and "Native histograms".
 */
import { type DataFrame, DataFrameType, type Field, FieldType } from "@grafana/data";
import type { PromQuery } from "./prometheus";

type Bucket = [rule: number, lower: string, upper: string, count: string];
type HistogramSample = [seconds: number, { count: string; sum: string; buckets?: Bucket[] }];

export interface PromResult {
  metric: Record<string, string>;
  values?: [seconds: number, value: string][];
  value?: [seconds: number, value: string];
  histograms?: HistogramSample[];
  histogram?: HistogramSample;
}

export function toSeriesFrames(target: PromQuery, results: readonly PromResult[]): DataFrame[] {
  return results.map(({ metric, values = [] }) => {
    const name = seriesName(target, metric);
    const time = timeField(values.map(([seconds]) => seconds * 1000));
    const value: Field = {
      name: "Value",
      type: FieldType.number,
      labels: metric,
      config: name ? { displayNameFromDS: name } : {},
      values: values.map(([, text]) => numberOf(text)),
    };
    const meta = { type: DataFrameType.TimeSeriesMulti };
    return {
      refId: target.refId,
      ...(name && { name }),
      fields: [time, value],
      length: values.length,
      meta,
    };
  });
}

/** @param several Whether the panel has more tables: then the column of values has the query's letter. */
export function toTableFrames(
  target: PromQuery,
  results: readonly PromResult[],
  several: boolean,
): DataFrame[] {
  if (results.length === 0) return [];
  const rows = results.flatMap(({ metric, values = [] }) =>
    values.map(([seconds, text]) => ({ metric, atMs: seconds * 1000, value: numberOf(text) })),
  );
  const labels = [...new Set(results.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const columns: Field[] = labels.map((name) => ({
    name,
    type: FieldType.string,
    config: { filterable: true },
    values: rows.map(({ metric }) => metric[name] ?? ""),
  }));
  const value: Field = {
    name: several ? `Value #${target.refId}` : "Value",
    type: FieldType.number,
    config: {},
    values: rows.map((row) => row.value),
  };
  const fields = [timeField(rows.map(({ atMs }) => atMs)), ...columns, value];
  return [{ refId: target.refId, fields, length: rows.length }];
}

export function toHeatmapFrames(target: PromQuery, results: readonly PromResult[]): DataFrame[] {
  const native = results.flatMap(({ histograms = [] }) => histograms);
  return native.length > 0 ? [toCells(target, native)] : toBucketRows(target, results);
}

function toCells(target: PromQuery, samples: readonly HistogramSample[]): DataFrame {
  const cells = samples.flatMap(([seconds, { buckets = [] }]) =>
    buckets.map(([, lower, upper, count]) => [
      seconds * 1000,
      Number(lower),
      Number(upper),
      Number(count),
    ]),
  );
  const column = (name: string, index: number): Field => ({
    name,
    type: name === "xMax" ? FieldType.time : FieldType.number,
    config: {},
    values: cells.map((cell) => cell[index]),
  });
  const fields = ["xMax", "yMin", "yMax", "count"].map(column);
  return {
    refId: target.refId,
    fields,
    length: cells.length,
    meta: { type: DataFrameType.HeatmapCells },
  };
}

/** Classic buckets are cumulative: each row is what its bucket has more than the one below. */
function toBucketRows(target: PromQuery, results: readonly PromResult[]): DataFrame[] {
  const bounded = results
    .filter(({ metric }) => metric["le"] !== undefined)
    .toSorted((a, b) => numberOf(a.metric["le"]!)! - numberOf(b.metric["le"]!)!);
  if (bounded.length === 0) return [];
  const times = [...new Set(bounded.flatMap(({ values = [] }) => values.map(([s]) => s)))].toSorted(
    (a, b) => a - b,
  );
  const columns = bounded.map(
    ({ values = [] }) => new Map(values.map(([s, text]) => [s, Number(text)])),
  );
  const fields = bounded.map(({ metric }, index): Field => ({
    name: metric["le"]!,
    type: FieldType.number,
    labels: metric,
    config: { displayNameFromDS: metric["le"]! },
    values: times.map((s) => {
      const below = index > 0 ? (columns[index - 1]!.get(s) ?? 0) : 0;
      return Math.max(0, (columns[index]!.get(s) ?? below) - below);
    }),
  }));
  const meta = { type: DataFrameType.HeatmapRows };
  const frame = { refId: target.refId, fields: [timeField(times.map((s) => s * 1000)), ...fields] };
  return [{ ...frame, length: times.length, meta }];
}

/** What the legend shows; undefined leaves it to Grafana, which takes the labels that differ. */
function seriesName(target: PromQuery, metric: Record<string, string>): string | undefined {
  const format = target.legendFormat ?? "";
  if (format === "__auto") return Object.keys(metric).length > 0 ? undefined : target.expr;
  if (format !== "") return fillLegend(format, metric);
  const { __name__: name = "", ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.join(", ")}}` === "{}" ? target.expr : `${name}{${pairs.join(", ")}}`;
}

/** `{{label}}` becomes its value, and nothing where the series has no such label. */
export const fillLegend = (format: string, labels: Record<string, string>): string =>
  format.replaceAll(/\{\{\s*(.+?)\s*\}\}/g, (_match, label: string) => labels[label] ?? "");

const timeField = (values: number[]): Field => ({
  name: "Time",
  type: FieldType.time,
  config: {},
  values,
});

/** Prometheus writes infinities as "+Inf" and "-Inf"; NaN is drawn as a gap. */
function numberOf(text: string): number | null {
  const value = Number(text.replace("Inf", "Infinity"));
  return Number.isNaN(value) ? null : value;
}

/**
 * What k6 sends to its cloud: a snappy block around one protobuf `MetricSet`, the samples of each series summed up per
 * time bucket. Only the metrics, of which there are few, become objects; the rest is read where it lies.
 *
 *     MetricSet    2 aggregation_period    3 Metric, repeated
 *     Metric       1 name    2 type    3 TimeSeries, repeated
 *     TimeSeries   1 Label, repeated    2 to 5 the samples of a counter, gauge, rate or trend
 *     Label        1 name    2 value
 *     samples      1 value, repeated: see bucket-decoder.ts
 *
 * Source: k6 `internal/output/cloud/expv2/pbcloud/metric.proto` (v2.2.0).
 */
import protobuf from "protobufjs/minimal.js";
import snappy from "snappy";
import { bytes as bytesForm, endOf, formOf, tagOf, textOf, varint } from "./wire.ts";

export interface MetricSet {
  readonly bytes: Buffer;
  /** The width of a bucket, in seconds. */
  readonly aggregationPeriod: number;
  readonly metrics: readonly CloudMetric[];
}

export interface CloudMetric {
  readonly name: string;
  /** 1 counter, 2 gauge, 3 rate, 4 trend. */
  readonly type: number;
  /** Where each time series begins and ends, one after the other. */
  readonly timeSeries: readonly number[];
}

/** Where the parts of a time series lie. */
export interface SeriesRange {
  labelsStart: number;
  labelsEnd: number;
  samplesStart: number;
  samplesEnd: number;
}

/**
 * Decodes a push of a k6 of our own; of anybody else's, `decodeUntrusted`.
 *
 * @throws Error for bytes that are not such a message
 */
export function decodeMetricSet(body: Buffer): MetricSet {
  // With `asBuffer` it is never a string.
  return readMetricSet(snappy.uncompressSync(body, { asBuffer: true }) as Buffer);
}

/** @throws Error for bytes that are not such a message */
export function readMetricSet(bytes: Buffer): MetricSet {
  const reader = protobuf.Reader.create(bytes);
  const metrics: CloudMetric[] = [];
  let aggregationPeriod = 0;
  while (reader.pos < bytes.length) {
    const tag = reader.uint32();
    if (tag === tagOf(2, varint)) aggregationPeriod = reader.uint32();
    else if (tag === tagOf(3, bytesForm)) metrics.push(readMetric(reader));
    else reader.skipType(formOf(tag));
  }
  return { bytes, aggregationPeriod, metrics };
}

function readMetric(reader: protobuf.Reader): CloudMetric {
  const end = endOf(reader, reader.len);
  const timeSeries: number[] = [];
  let name = "";
  let type = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === tagOf(1, bytesForm)) name = textOf(reader, end);
    else if (tag === tagOf(2, varint)) type = reader.uint32();
    else if (tag === tagOf(3, bytesForm)) {
      const seriesEnd = endOf(reader, end);
      timeSeries.push(reader.pos, seriesEnd);
      reader.pos = seriesEnd;
    } else reader.skipType(formOf(tag));
  }
  return { name, type, timeSeries };
}

/**
 * Calls `visit` for each time series with where its parts lie, which is one object for all. It may move the reader, which
 * is of the set's bytes.
 *
 * @throws Error if the samples of a series are not those of its metric's type
 */
export function eachSeries(
  { metrics }: MetricSet,
  reader: protobuf.Reader,
  visit: (metric: CloudMetric, range: SeriesRange) => void,
): void {
  const range = { labelsStart: 0, labelsEnd: 0, samplesStart: 0, samplesEnd: 0 };
  for (const metric of metrics) {
    const { type, timeSeries } = metric;
    for (let at = 0; at < timeSeries.length; at += 2) {
      reader.pos = timeSeries[at] ?? 0;
      readSeries(reader, timeSeries[at + 1] ?? 0, type, range);
      visit(metric, range);
    }
  }
}

/** Reads from the reader's position to `end`, into `range`. Labels come before samples, as every encoder writes them. */
function readSeries(reader: protobuf.Reader, end: number, type: number, range: SeriesRange): void {
  range.labelsStart = reader.pos;
  range.labelsEnd = reader.pos;
  range.samplesStart = end;
  range.samplesEnd = end;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === tagOf(1, bytesForm)) {
      reader.pos = endOf(reader, end);
      range.labelsEnd = reader.pos;
    } else if (tag === tagOf(type + 1, bytesForm)) {
      range.samplesEnd = endOf(reader, end);
      range.samplesStart = reader.pos;
      reader.pos = range.samplesEnd;
    } else {
      throw new Error(`a series of a metric of type ${type} has a field of tag ${tag}`);
    }
  }
}

/** Label name to value, from the reader's position to `end`. */
export function readLabels(reader: protobuf.Reader, end: number): Map<string, string> {
  const labels = new Map<string, string>();
  while (reader.pos < end) {
    reader.uint32();
    const labelEnd = endOf(reader, end);
    let name = "";
    let value = "";
    while (reader.pos < labelEnd) {
      const tag = reader.uint32();
      if (tag === tagOf(1, bytesForm)) name = textOf(reader, labelEnd);
      else if (tag === tagOf(2, bytesForm)) value = textOf(reader, labelEnd);
      else reader.skipType(formOf(tag));
    }
    labels.set(name, value);
  }
  return labels;
}

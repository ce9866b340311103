/**
 * The library's public API. Everything else is internal.
 */
export {
  ConfigError,
  type ConfigProblem,
  type ErrorCode,
  GeneratorError,
  InputError,
  PlimsollError,
  ReceiverError,
  SpoolError,
  StackError,
  UsageError,
} from "./errors.ts";
export type { Counter, Gauge, Rate, Trend } from "./library/metrics.ts";
export type { ByteSize, Duration, Names, PrometheusRemoteWriteOptions } from "./library/options.ts";
export {
  type MetricOptions,
  PrometheusRemoteWrite,
  type RunEnding,
  type RunProgress,
  type RunReport,
} from "./library/prometheus-remote-write.ts";
export type { TagValues } from "./library/recorder.ts";
export type { ThresholdResult } from "./output/run-series.ts";
export type { RunState } from "./runs/run-state.ts";
export { JsonLinesReader, type JsonLinesOptions, type LineProblem } from "./sample/json-lines.ts";
export type { Metric, MetricType, ValueKind } from "./sample/metric.ts";
export type { DropReason, SampleSink, Tags } from "./sample/sample.ts";

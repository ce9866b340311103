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
export { JsonLinesReader, type JsonLinesOptions, type LineProblem } from "./sample/json-lines.ts";
export type { Metric, MetricType, ValueKind } from "./sample/metric.ts";
export type { DropReason, SampleSink, Tags } from "./sample/sample.ts";

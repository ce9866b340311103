/**
 * The metrics that k6 defines itself, for streams that begin in the middle of a run, where the line that
 * declares a metric is missing.
 *
 * Source: k6 `metrics/builtin.go`, `internal/js/modules/k6/browser/k6ext/metrics.go`,
 * `internal/js/modules/k6/grpc/metrics.go`.
 */
import type { Metric, MetricType, ValueKind } from "./metric.ts";

function metrics(type: MetricType, contains: ValueKind, names: string): Metric[] {
  return names.split(" ").map((name) => ({ name, type, contains }));
}

export const builtinMetrics: ReadonlyMap<string, Metric> = new Map(
  [
    ...metrics("gauge", "default", "vus vus_max"),
    ...metrics("counter", "default", "iterations dropped_iterations http_reqs"),
    ...metrics("counter", "default", "ws_sessions ws_msgs_sent ws_msgs_received"),
    ...metrics("counter", "default", "grpc_streams grpc_streams_msgs_sent"),
    ...metrics("counter", "default", "grpc_streams_msgs_received"),
    ...metrics("counter", "data", "data_sent data_received"),
    ...metrics("counter", "data", "browser_data_sent browser_data_received"),
    ...metrics("rate", "default", "checks http_req_failed browser_http_req_failed"),
    ...metrics("trend", "time", "iteration_duration group_duration grpc_req_duration"),
    ...metrics("trend", "time", "http_req_duration http_req_blocked http_req_connecting"),
    ...metrics("trend", "time", "http_req_tls_handshaking http_req_sending http_req_waiting"),
    ...metrics("trend", "time", "http_req_receiving ws_connecting ws_ping ws_session_duration"),
    ...metrics("trend", "time", "browser_http_req_duration browser_web_vital_ttfb"),
    ...metrics("trend", "time", "browser_web_vital_lcp browser_web_vital_fcp"),
    ...metrics("trend", "time", "browser_web_vital_fid browser_web_vital_inp"),
    ...metrics("trend", "default", "browser_web_vital_cls"),
  ].map((metric) => [metric.name, metric]),
);

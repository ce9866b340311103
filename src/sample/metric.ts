/**
 * A metric as k6 defines it: a name, a type and what its values contain.
 *
 * Source: k6 `metrics/metric_type.go`, `metrics/value_type.go`.
 */

export const metricTypes = ["counter", "gauge", "rate", "trend"] as const;
export type MetricType = (typeof metricTypes)[number];

/** `time` values are milliseconds, `data` values are bytes, `default` values are as the script gave them. */
export const valueKinds = ["default", "time", "data"] as const;
export type ValueKind = (typeof valueKinds)[number];

export interface Metric {
  /** k6's name, without prefix or suffix, e.g. `http_req_duration`. */
  readonly name: string;
  readonly type: MetricType;
  readonly contains: ValueKind;
}

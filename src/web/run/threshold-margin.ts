/**
 * How far a threshold's value is from its limit. Pure.
 *
 * In:  a threshold as the record has it: expression and value in k6's units, times in milliseconds.
 * Source of the expressions: k6 documentation, "Thresholds"; `runs/threshold-expression.ts` judges them.
 */
import type { ThresholdView } from "../../server/api/run-view.ts";
import { formatNumber, formatRatio, formatSeconds } from "../format/number.ts";

export interface ThresholdMargin {
  /** Both in words, in the metric's unit. */
  readonly value: string;
  readonly limit: string;
  /** What is left of the limit, as a share of it: 0.2 is a fifth; below 0 it is crossed. Null where no such share means anything. */
  readonly ratio: number | null;
}

/** Of what k6 defines itself; of a script's own metrics nobody knows the unit. */
const timeMetric =
  /^(http_req_(duration|blocked|connecting|tls_handshaking|sending|waiting|receiving)|iteration_duration|group_duration|grpc_req_duration|ws_(connecting|ping|session_duration)|browser_http_req_duration|browser_web_vital_(ttfb|lcp|fcp|fid|inp))$/;
const rateMetric = /^(checks|http_req_failed|browser_http_req_failed)$/;

/** Whether its values are times; in the summary seconds, in thresholds milliseconds. */
export function isTimeMetric(name: string): boolean {
  return timeMetric.test(name);
}

export function thresholdMargin({ metric, expression, value }: ThresholdView): ThresholdMargin {
  const [, aggregation = "", operator = "", limitText = ""] =
    /^\s*([a-z]+(?:\([\d.]+\))?)\s*(<=|>=|===|==|!=|<|>)\s*(\S+)\s*$/.exec(expression) ?? [];
  const limit = limitText === "" ? Number.NaN : Number(limitText);
  const format = formatOf(metric.split("{")[0] ?? "", aggregation);
  return {
    value: value === null ? "no samples" : format(value),
    limit: Number.isNaN(limit) ? expression : `${operator} ${format(limit)}`,
    ratio: value === null ? null : marginRatio(operator, value, limit),
  };
}

function marginRatio(operator: string, value: number, limit: number): number | null {
  if (Number.isNaN(limit) || limit === 0) return null;
  switch (operator) {
    case "<":
    case "<=":
      return (limit - value) / Math.abs(limit);
    case ">":
    case ">=":
      return (value - limit) / Math.abs(limit);
    default:
      return null;
  }
}

function formatOf(metric: string, aggregation: string): (value: number) => string {
  if (aggregation === "count") return formatNumber;
  if (isTimeMetric(metric)) return (milliseconds) => formatSeconds(milliseconds / 1_000);
  if (rateMetric.test(metric)) return formatRatio;
  return formatNumber;
}

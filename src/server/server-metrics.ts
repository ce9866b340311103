/**
 * `/metrics` of a server: its requests, and of each run that goes on what `plimsoll run` serves of its own
 * (`output/self-metrics.ts`), told apart by `testid`.
 */
import { Counter, Gauge, Histogram } from "prom-client";
import { createRunsMetrics, type SelfAware } from "../output/self-metrics-registry.ts";
import type { PushExcess } from "../runs/run-service.ts";

/** Why a request was refused that is right by itself. */
export type RefusalReason =
  | "rate"
  | "authentication"
  | "concurrency"
  | "streams"
  | "too_many_runs"
  | "too_many_tests"
  | PushExcess;

export interface ServerMetrics {
  readonly contentType: string;
  metrics(): Promise<string>;
  /** @param route the route's pattern: what a client may make up must not make series */
  answered(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  refused(reason: RefusalReason): void;
  watched(open: { readonly streams: number; readonly runs: number }): void;
}

/** As docs/metrics.md has them. */
export const serverMetricNames = {
  duration: "plimsoll_http_request_duration_seconds",
  refused: "plimsoll_http_requests_refused_total",
  runs: "plimsoll_server_runs",
  streams: "plimsoll_server_live_streams",
  watchedRuns: "plimsoll_server_live_runs",
} as const;

/** @param outputs of the runs that go on */
export function createServerMetrics(outputs: () => readonly SelfAware[]): ServerMetrics {
  const registry = createRunsMetrics(outputs);
  const registers = [registry];
  const duration = new Histogram({
    name: serverMetricNames.duration,
    help: "time from a request to its answer, by route and status",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const refused = new Counter({
    name: serverMetricNames.refused,
    help: "requests refused because there are too many, by what there are too many of",
    labelNames: ["reason"],
    registers,
  });
  const runs = new Gauge({
    name: serverMetricNames.runs,
    help: "runs that go on and have samples",
    registers: [],
    collect() {
      this.set(outputs().length);
    },
  });
  registry.registerMetric(runs);
  const streams = new Gauge({
    name: serverMetricNames.streams,
    help: "live streams that are open",
    registers,
  });
  const watchedRuns = new Gauge({
    name: serverMetricNames.watchedRuns,
    help: "runs that somebody looks at live",
    registers,
  });
  return {
    contentType: registry.contentType,
    metrics: () => registry.metrics(),
    answered: ({ method, route, status, seconds }) =>
      duration.observe({ method, route, status: String(status) }, seconds),
    refused: (reason) => refused.inc({ reason }),
    watched: (open) => {
      streams.set(open.streams);
      watchedRuns.set(open.runs);
    },
  };
}

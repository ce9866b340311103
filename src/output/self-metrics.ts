/**
 * Plimsoll's own metrics, after those of Prometheus' own sender: where the samples and points of a run are. Beside
 * them prom-client's of the process: CPU, memory, event loop.
 *
 * Every value is read from the output when it is asked for; nothing is counted twice. docs/metrics.md has a row
 * for each.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { OutputProgress, PrometheusOutput } from "./prometheus-output.ts";

type Value = number | ReadonlyMap<string, number>;

interface SelfMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  /** A map has one entry per `reason`. */
  readonly value: (progress: OutputProgress) => Value;
}

export const selfMetrics: readonly SelfMetric[] = [
  {
    name: "plimsoll_samples_read_total",
    help: "samples read from the generator",
    kind: "counter",
    value: ({ samples }) => samples.read,
  },
  {
    name: "plimsoll_samples_aggregated_total",
    help: "samples that are part of a series",
    kind: "counter",
    value: ({ samples }) => samples.aggregated,
  },
  {
    name: "plimsoll_samples_late_total",
    help: "samples that came after their own interval was closed, and count in a later one",
    kind: "counter",
    value: ({ samples }) => samples.late,
  },
  {
    name: "plimsoll_samples_dropped_total",
    help: "samples that could not be used, by reason",
    kind: "counter",
    value: ({ samples }) => samples.dropped,
  },
  {
    name: "plimsoll_series",
    help: "Prometheus series made of the generator's metrics",
    kind: "gauge",
    value: ({ mapper }) => mapper.series,
  },
  {
    name: "plimsoll_remote_write_points_recovered_total",
    help: "points of an earlier process of the run, found in the spool",
    kind: "counter",
    value: ({ points }) => points.recovered,
  },
  {
    name: "plimsoll_remote_write_points_encoded_total",
    help: "points encoded into requests",
    kind: "counter",
    value: ({ points }) => points.encoded,
  },
  {
    name: "plimsoll_remote_write_points_delivered_total",
    help: "points that the receiver has stored",
    kind: "counter",
    value: ({ points }) => points.delivered,
  },
  {
    name: "plimsoll_remote_write_points_rejected_total",
    help: "points that are lost, by reason",
    kind: "counter",
    value: ({ points }) => points.rejected,
  },
  {
    name: "plimsoll_remote_write_points_retried_total",
    help: "points in requests that had to be repeated",
    kind: "counter",
    value: ({ sender }) => sender.retried.samples + sender.retried.histograms,
  },
  {
    name: "plimsoll_remote_write_points_pending",
    help: "points in the spool, waiting to be sent",
    kind: "gauge",
    value: ({ points }) => points.pending,
  },
  {
    name: "plimsoll_remote_write_requests_total",
    help: "requests sent, repetitions included",
    kind: "counter",
    value: ({ sender }) => sender.requests,
  },
  {
    name: "plimsoll_remote_write_sent_bytes_total",
    help: "bodies of the requests sent, compressed",
    kind: "counter",
    value: ({ sender }) => sender.bytesSent,
  },
  {
    name: "plimsoll_remote_write_spool_bytes",
    help: "bytes in the spool",
    kind: "gauge",
    value: ({ spoolBytes }) => spoolBytes,
  },
  {
    name: "plimsoll_remote_write_highest_sent_timestamp_seconds",
    help: "newest timestamp that the receiver has stored",
    kind: "gauge",
    value: ({ sender }) => (sender.newestDeliveredTimestampMs ?? 0) / 1_000,
  },
];

/** All of them carry the run's `testid` and `test`. */
export function createSelfMetrics(
  output: Pick<PrometheusOutput, "progress" | "identity">,
): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ ...output.identity });
  collectDefaultMetrics({ register: registry });
  for (const { name, help, kind, value } of selfMetrics) {
    const isByReason = name.includes("_dropped_") || name.includes("_rejected_");
    const options = { name, help, registers: [], labelNames: isByReason ? ["reason"] : [] };
    const read = (): Value => value(output.progress);
    registry.registerMetric(kind === "counter" ? counter(options, read) : gauge(options, read));
  }
  return registry;
}

type Options = ConstructorParameters<typeof Gauge>[0];

function counter(options: Options, read: () => Value): Counter {
  return new Counter({
    ...options,
    collect() {
      // prom-client counts up only; what it has counted is set back to what is true.
      this.reset();
      set(read(), (labels, count) => this.inc(labels, count));
    },
  });
}

function gauge(options: Options, read: () => Value): Gauge {
  return new Gauge({
    ...options,
    collect() {
      set(read(), (labels, count) => this.set(labels, count));
    },
  });
}

function set(value: Value, write: (labels: Record<string, string>, count: number) => void): void {
  if (typeof value === "number") write({}, value);
  else for (const [reason, count] of value) write({ reason }, count);
}

/**
 * Plimsoll's own metrics: where the samples and points of a run are, and how the generator bears the load.
 *
 * One table, read whenever somebody asks: `/metrics` (`self-metrics-registry.ts`) and the run's own points
 * (`self-series.ts`) have the same names, labels and values. docs/metrics.md has a row for each.
 *
 * Names and meanings of `plimsoll_remote_write_*` are those of Prometheus' own sender,
 * `prometheus_remote_storage_*` (`storage/remote/queue_manager.go`). Where that has a metric for samples and one for
 * histograms, here the label `type` tells them apart, as in `prometheus_tsdb_head_samples_appended_total`: the sum is
 * all points.
 */
import type { PointCounts } from "../send/account.ts";
import type { OutputProgress } from "./output-progress.ts";
import { durationBounds } from "./request-durations.ts";

export interface SelfValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram's parts. Default: none. */
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

export interface SelfMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** None where nothing is known. */
  readonly values: (progress: OutputProgress) => readonly SelfValue[];
}

const one = (value: number): SelfValue[] => [{ labels: {}, value }];

const byType = (
  { samples, histograms }: PointCounts,
  labels: Readonly<Record<string, string>> = {},
): SelfValue[] => [
  { labels: { ...labels, type: "float" }, value: samples },
  { labels: { ...labels, type: "histogram" }, value: histograms },
];

/** Reasons for which points are lost before they are sent; for all others the receiver is the one who lost them. */
const droppedReasons: ReadonlySet<string> = new Set([
  "not_in_protocol_1",
  "spool_failed",
  "spool_full",
  "too_old",
]);

const lost = (
  { pointsByType: { rejected } }: OutputProgress,
  isWanted: (reason: string) => boolean,
): SelfValue[] =>
  [...rejected].flatMap(([reason, points]) => (isWanted(reason) ? byType(points, { reason }) : []));

export const selfMetrics: readonly SelfMetric[] = [
  {
    name: "plimsoll_samples_read_total",
    help: "samples read from the generator",
    kind: "counter",
    values: ({ samples }) => one(samples.read),
  },
  {
    name: "plimsoll_samples_aggregated_total",
    help: "samples that are part of a series",
    kind: "counter",
    values: ({ samples }) => one(samples.aggregated),
  },
  {
    name: "plimsoll_samples_late_total",
    help: "samples that came after their own interval was closed, and count in a later one",
    kind: "counter",
    values: ({ samples }) => one(samples.late),
  },
  {
    name: "plimsoll_samples_dropped_total",
    help: "samples that could not be used, by reason",
    kind: "counter",
    values: ({ samples }) =>
      [...samples.dropped].map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: "plimsoll_series",
    help: "Prometheus series made of the generator's metrics",
    kind: "gauge",
    values: ({ mapper }) => one(mapper.series),
  },
  {
    name: "plimsoll_remote_write_samples_total",
    help: "points encoded into requests, each once",
    kind: "counter",
    values: ({ pointsByType }) => byType(pointsByType.encoded),
  },
  {
    name: "plimsoll_remote_write_samples_recovered_total",
    help: "points of an earlier process of the run, found in the spool",
    kind: "counter",
    values: ({ pointsByType }) => byType(pointsByType.recovered),
  },
  {
    name: "plimsoll_remote_write_samples_delivered_total",
    help: "points that the receiver has stored",
    kind: "counter",
    values: ({ pointsByType }) => byType(pointsByType.delivered),
  },
  {
    name: "plimsoll_remote_write_samples_failed_total",
    help: "points that the receiver refused for good, by reason",
    kind: "counter",
    values: (progress) => lost(progress, (reason) => !droppedReasons.has(reason)),
  },
  {
    name: "plimsoll_remote_write_samples_dropped_total",
    help: "points that were lost before they were sent, by reason",
    kind: "counter",
    values: (progress) => lost(progress, (reason) => droppedReasons.has(reason)),
  },
  {
    name: "plimsoll_remote_write_samples_retried_total",
    help: "points in requests that had to be repeated, once per repetition",
    kind: "counter",
    values: ({ sender }) => byType(sender.retried),
  },
  {
    name: "plimsoll_remote_write_samples_pending",
    help: "points in the spool, waiting to be sent",
    kind: "gauge",
    values: ({ pointsByType }) => byType(pointsByType.pending),
  },
  {
    name: "plimsoll_remote_write_bytes_total",
    help: "bodies of the requests sent, compressed, repetitions included",
    kind: "counter",
    values: ({ sender }) => one(sender.bytesSent),
  },
  {
    name: "plimsoll_remote_write_sent_batch_duration_seconds",
    help: "time from a request to its answer, repetitions included, by remote-write version and status",
    kind: "histogram",
    values: durations,
  },
  {
    name: "plimsoll_remote_write_highest_timestamp_seconds",
    help: "newest timestamp that was encoded",
    kind: "gauge",
    values: ({ newestEncodedMs }) => one(newestEncodedMs / 1_000),
  },
  {
    name: "plimsoll_remote_write_highest_sent_timestamp_seconds",
    help: "newest timestamp that the receiver has stored; behind the one above by the delivery's lag",
    kind: "gauge",
    values: ({ sender }) => one((sender.newestDeliveredTimestampMs ?? 0) / 1_000),
  },
  {
    name: "plimsoll_remote_write_stalled_seconds",
    help: "for how long the receiver has not taken the oldest request, by the state of delivery",
    kind: "gauge",
    values: ({ state, atMs }) =>
      "sinceMs" in state
        ? [{ labels: { state: state.kind }, value: Math.max(0, atMs - state.sinceMs) / 1_000 }]
        : [],
  },
  {
    name: "plimsoll_remote_write_spool_bytes",
    help: "bytes in the spool",
    kind: "gauge",
    values: ({ spoolBytes }) => one(spoolBytes),
  },
  {
    name: "plimsoll_remote_write_spool_corrupt_records_total",
    help: "requests of an earlier process of the run that were damaged in the spool, and are lost",
    kind: "counter",
    values: ({ corruptRecords }) => one(corruptRecords),
  },
  {
    name: "plimsoll_generator_cpu_seconds_total",
    help: "CPU time of the processes that make and send the load since the run began",
    kind: "counter",
    values: ({ health }) =>
      [...(health?.processes ?? [])].map(([process, { cpuSeconds }]) => ({
        labels: { process },
        value: cpuSeconds,
      })),
  },
  {
    name: "plimsoll_generator_resident_memory_bytes",
    help: "their memory",
    kind: "gauge",
    values: ({ health }) =>
      [...(health?.processes ?? [])].map(([process, { residentBytes }]) => ({
        labels: { process },
        value: residentBytes,
      })),
  },
  {
    name: "plimsoll_generator_cpus",
    help: "cores that they may use, a container's quota considered",
    kind: "gauge",
    values: ({ health }) => (health ? one(health.cpus) : []),
  },
  {
    name: "plimsoll_generator_event_loop_delay_seconds",
    help: "how late timers of Plimsoll's event loop fire: p99 of the last second",
    kind: "gauge",
    values: ({ health }) => (health ? one(health.eventLoopDelaySeconds) : []),
  },
];

function durations({ requestDurations }: OutputProgress): SelfValue[] {
  return [...requestDurations.all].flatMap(({ protocol, status, counts, sumSeconds }) => {
    const labels = { protocol: `${protocol}.0`, status };
    let count = 0;
    const buckets = counts.map((requests, index): SelfValue => {
      count += requests;
      const le = String(durationBounds[index] ?? "+Inf");
      return { suffix: "_bucket", labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { suffix: "_sum", labels, value: sumSeconds },
      { suffix: "_count", labels, value: count },
    ];
  });
}

/**
 * Many runs of one test over a long time, through the pipeline's own aggregation, run series and encoder, so that a
 * store holds of each run what it would hold of a real one: in a second instead of in two years.
 */
import { Aggregator } from "../../src/aggregate/aggregator.ts";
import type { OutputSeries, PointSink } from "../../src/aggregate/series-point.ts";
import { systemClock } from "../../src/clock.ts";
import { BatchEncoder } from "../../src/encode/batch-encoder.ts";
import type { EncodedBatch } from "../../src/encode/encoded-batch.ts";
import { RunSeries } from "../../src/output/run-series.ts";
import type { RunState } from "../../src/runs/run-state.ts";
import type { Metric } from "../../src/sample/metric.ts";
import { createMapper } from "./mapper.ts";
import type { WrittenSeries } from "./write-series.ts";

export interface PastRun {
  readonly testid: string;
  readonly test: string;
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly seconds: number;
  /** How long each request took. */
  readonly durationMs: number;
  /** What a request's duration is multiplied by. Default: 1, each time. */
  readonly spread?: () => number;
  readonly vus: number;
  /** Labels of `plimsoll_run_info`. */
  readonly tags: Readonly<Record<string, string>>;
  /** Of the series of one of several generators of the run. Default: none. */
  readonly generator?: Readonly<Record<string, string>>;
  /** How it ended. Default: finished. */
  readonly state?: RunState;
  /** 1 where every request fails. Default 0. */
  readonly failed?: 0 | 1;
  /** Endpoints that are asked once a second each. Default 2. */
  readonly endpoints?: number;
}

const metric = (
  name: string,
  type: Metric["type"],
  contains: Metric["contains"] = "default",
): Metric => ({ name, type, contains });

const vus = metric("vus", "gauge");
const requests = metric("http_reqs", "counter");
const durations = metric("http_req_duration", "trend", "time");
const failures = metric("http_req_failed", "rate");
const checks = metric("checks", "rate");
const iterations = metric("iterations", "counter");

/** What `plimsoll ingest` would send of a run. `withSeconds` false leaves only the run's own series. */
export function encodeRun(run: PastRun, withSeconds: boolean): EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  const { testid, test, startMs, seconds, endpoints = 2, spread = () => 1 } = run;
  const { generator = {}, state = "finished", failed = 0 } = run;
  let lastId = -1;
  const nextId = () => ++lastId;
  const encoder = new BatchEncoder("1", (batch) => batches.push(batch));
  const points: PointSink = withSeconds ? encoder : ownSeriesOnly(encoder);
  const runSeries = new RunSeries(points, {
    identity: { testid, test },
    generatorLabels: new Map(Object.entries(generator)),
    info: new Map(Object.entries(run.tags)),
    nextId,
    startMs: () => startMs,
  });
  const runLabels = [
    { name: "testid", value: testid },
    { name: "test", value: test },
    ...Object.entries(generator).map(([name, value]) => ({ name, value })),
  ];
  const aggregator = new Aggregator(createMapper({ runLabels }, nextId), runSeries, {
    pushIntervalMs: 1_000,
    latenessMs: 0,
    staleMarkers: true,
    clock: systemClock,
  });
  const series = (of: Metric, tags: Readonly<Record<string, string>> = {}) =>
    aggregator.series(of, new Map(Object.entries({ scenario: "default", ...tags })));
  const each = (of: Metric) =>
    Array.from({ length: endpoints }, (_, endpoint) =>
      series(of, { name: `endpoint-${endpoint}`, method: "GET", status: "200" }),
    );
  // Of every second, what each series is given.
  const values: readonly (readonly [seriesIds: readonly number[], value: () => number])[] = [
    [[series(vus)], () => run.vus],
    [each(requests), () => 1],
    [each(durations), () => run.durationMs * spread()],
    [each(failures), () => failed],
    [[series(checks, { check: "answers 200" })], () => 1],
    [[series(iterations)], () => 1],
  ];
  for (let second = 0; second <= seconds; second++) {
    for (const [seriesIds, value] of values) {
      for (const id of seriesIds) aggregator.sample(id, startMs + second * 1_000, value());
    }
  }
  const totals = aggregator.totals();
  const endMs = aggregator.finish() ?? startMs;
  runSeries.finish(endMs, {
    state,
    startMs,
    endMs: startMs + seconds * 1_000,
    totals,
    samples: aggregator.counts,
    thresholds: [{ metric: "http_req_duration", threshold: "p(95)<500", ok: true }],
  });
  encoder.flush();
  return batches;
}

/** Points of `plimsoll_…` alone. */
function ownSeriesOnly(points: PointSink): PointSink {
  const isOwn = (series: OutputSeries) => series.family.name.startsWith("plimsoll_");
  return {
    float: (series, ...rest) => {
      if (isOwn(series)) points.float(series, ...rest);
    },
    histogram: () => undefined,
    stale: () => undefined,
    requestEnd: () => points.requestEnd(),
    intervalEnd: (timestampMs) => points.intervalEnd(timestampMs),
  };
}

/** What the stack's recording rule would have recorded while the run was live. */
export function resourceSeries(run: PastRun, cpu: number): WrittenSeries[] {
  const timesMs = [run.startMs + 15_000, run.startMs + 30_000];
  return ["cpu", "memory", "disk", "connections"].map((resource, index) => ({
    name: "plimsoll:run_resource_ratio",
    labels: { testid: run.testid, test: run.test, resource },
    // The first point is the peak.
    points: timesMs.map((timeMs, at) => [timeMs, cpu / (1 + index) / (1 + at)] as const),
  }));
}

import { beforeEach, expect, it } from "vitest";
import { selfMetrics } from "../../../src/output/self-metrics.ts";
import { createSelfMetrics } from "../../../src/output/self-metrics-registry.ts";
import { SelfSeries } from "../../../src/output/self-series.ts";
import { progressOf } from "../../support/output-progress.ts";
import { RecordingPoints } from "../../support/recording-points.ts";

const labels = { testid: "a", test: "checkout" };
const startMs = 1_000_000;

let points: RecordingPoints;
let selfSeries: SelfSeries;
beforeEach(() => {
  points = new RecordingPoints();
  let id = 0;
  selfSeries = new SelfSeries(points, { labels, nextId: () => id++ });
});

const read = 'plimsoll_samples_read_total{test="checkout",testid="a"}';
const failed = (reason: string) =>
  `plimsoll_remote_write_samples_failed_total{reason="${reason}",test="checkout",testid="a",type="float"}`;

it("precedes counters with a zero right before the run, in a request of its own", () => {
  selfSeries.write(startMs + 500, startMs, progressOf({ read: 12 }));
  points.requestEnd();
  selfSeries.write(startMs + 5_500, startMs, progressOf({ read: 40 }));
  points.requestEnd();
  expect(points.of(read)).toEqual([
    [startMs - 1, 0],
    [startMs + 500, 12],
    [startMs + 5_500, 40],
  ]);
  expect(points.requests).toHaveLength(3);
  for (const request of points.requests) {
    const series = request.map((point) => point.series);
    expect(new Set(series).size).toBe(series.length);
  }
});

it("precedes one that comes later with a zero at the time of the points before", () => {
  selfSeries.write(startMs + 500, startMs, progressOf({}));
  const rejected = new Map([["http_400", { samples: 7, histograms: 0 }]]);
  selfSeries.write(startMs + 5_500, startMs, progressOf({ rejected }));
  expect(points.of(failed("http_400"))).toEqual([
    [startMs + 500, 0],
    [startMs + 5_500, 7],
  ]);
});

it("says of a run without samples that nothing was read", () => {
  selfSeries.write(startMs, 0, progressOf({}));
  expect(points.of(read)).toEqual([
    [startMs - 1, 0],
    [startMs, 0],
  ]);
});

it("says that delivery goes on after it was stalled", () => {
  const stalled =
    'plimsoll_remote_write_stalled_seconds{state="retrying",test="checkout",testid="a"}';
  const state = { kind: "retrying", sinceMs: startMs, reason: "http_503", text: "" } as const;
  selfSeries.write(startMs + 5_000, startMs, progressOf({ state, atMs: startMs + 3_000 }));
  selfSeries.write(startMs + 10_000, startMs, progressOf({}));
  expect(points.of(stalled)).toEqual([
    [startMs + 5_000, 3],
    [startMs + 10_000, 0],
  ]);
});

it("is due every five seconds, and at first at once", () => {
  expect(selfSeries.isDue(startMs)).toBe(true);
  selfSeries.write(startMs, startMs, progressOf({}));
  expect(selfSeries.isDue(startMs + 4_999)).toBe(false);
  expect(selfSeries.isDue(startMs + 5_000)).toBe(true);
});

it("ends every series", () => {
  selfSeries.write(startMs + 500, startMs, progressOf({}));
  const series = new Set(points.points.map((point) => point.series));
  selfSeries.end(startMs + 501);
  const ended = points.points.filter(({ kind }) => kind === "stale").map((point) => point.series);
  expect(new Set(ended)).toEqual(series);
  expect(ended).toHaveLength(series.size);
});

it("stores the same series and values that are served", async () => {
  const rejected = new Map([
    ["http_400", { samples: 7, histograms: 1 }],
    ["spool_full", { samples: 5, histograms: 0 }],
  ]);
  const progress = progressOf({ read: 12, rejected });
  selfSeries.write(startMs + 500, startMs, progress);
  const stored = new Map(
    points.points
      .filter(({ timestampMs }) => timestampMs === startMs + 500)
      .map(({ series, value }) => [series, value]),
  );
  const text = await createSelfMetrics({ progress, ownLabels: labels }).metrics();
  const served = new Map<string, number>();
  for (const [, name = "", list = "", value] of text.matchAll(/^(plimsoll_\w+)\{(.*)\} (\S+)$/gm)) {
    served.set(`${name}{${list.split(",").sort().join(",")}}`, Number(value));
  }
  expect(served.size).toBeGreaterThan(selfMetrics.length);
  expect(stored).toEqual(served);
  expect(served.get(failed("http_400"))).toBe(7);
  expect(text).toContain("# TYPE plimsoll_remote_write_sent_batch_duration_seconds histogram");
});

it("has an account that balances: encoded and recovered are delivered, pending, failed or dropped", async () => {
  const rejected = new Map([
    ["http_400", { samples: 7, histograms: 1 }],
    ["something_new", { samples: 2, histograms: 0 }],
    ["spool_full", { samples: 5, histograms: 0 }],
    ["too_old", { samples: 1, histograms: 1 }],
  ]);
  const progress = progressOf({ rejected });
  const total = (name: string): number => {
    const metric = selfMetrics.find((one) => one.name === `plimsoll_remote_write_samples_${name}`);
    return (metric?.values(progress) ?? []).reduce((sum, { value }) => sum + value, 0);
  };
  expect(total("failed_total")).toBe(10);
  expect(total("dropped_total")).toBe(7);
  expect(total("total") + total("recovered_total")).toBe(
    total("delivered_total") + total("pending") + total("failed_total") + total("dropped_total"),
  );
});

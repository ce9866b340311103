import { describe, expect, it } from "vitest";
import { Aggregator } from "../../../../src/aggregate/aggregator.ts";
import { BucketWindow } from "../../../../src/server/live/bucket-window.ts";
import { createMapper } from "../../../support/mapper.ts";
import { RecordingPoints } from "../../../support/recording-points.ts";

const t0 = 1_795_000_000_000;
const requests = { name: "http_reqs", type: "counter", contains: "default" } as const;
const one = (sum: number) => ({ type: "counter", sum }) as const;

function setUp(nowMs = t0 + 60_000) {
  const points = new RecordingPoints();
  const clock = { nowMs: () => nowMs, sleep: async () => undefined };
  const options = { pushIntervalMs: 1_000, latenessMs: 0, staleMarkers: false, clock };
  const aggregator = new Aggregator(createMapper(), points, options);
  const window = new BucketWindow([aggregator], {
    intervalMs: 1_000,
    earliestMs: t0,
    nowMs: () => nowMs,
  });
  return { points, aggregator, window };
}

describe("BucketWindow", () => {
  it("hands on in the order of their times what generators push in any order", () => {
    const { points, aggregator, window } = setUp();
    const [a, b] = ["a", "b"].map((name) => window.series(requests, new Map([["name", name]])));
    window.bucket(a!, t0 + 1_000, t0 + 1_999, one(2));
    window.bucket(a!, t0 + 2_000, t0 + 2_999, one(4));
    window.bucket(b!, t0, t0 + 999, one(1));
    window.bucket(b!, t0 + 1_000, t0 + 1_999, one(3));
    window.closeUntil(t0 + 2_000);
    expect(aggregator.counts.late).toBe(0);
    expect(points.of('k6_http_reqs_total{name="a"}')).toContainEqual([t0 + 2_000, 2]);
    expect(points.of('k6_http_reqs_total{name="b"}')).toEqual([
      [t0, 0],
      [t0 + 1_000, 1],
      [t0 + 2_000, 4],
    ]);
    window.flush();
    expect(aggregator.counts.read).toBe(4);
  });

  it("hands everything on where too much waits, and loses nothing", () => {
    const { aggregator, window } = setUp();
    const metric = { name: "http_req_duration", type: "trend", contains: "time" } as const;
    const id = window.series(metric, new Map());
    const size = 7_297;
    const observations = {
      size,
      values: new Float64Array(size).fill(1),
      counts: new Float64Array(size).fill(1),
      count: size,
      sum: size,
      min: 1,
      max: 1,
    };
    const pushes = Math.ceil((128 << 20) / (size * 16));
    for (let n = 0; n < pushes; n++) window.bucket(id, t0, t0, { type: "trend", observations });
    expect(aggregator.counts.read).toBeGreaterThan(0);
    window.flush();
    expect(aggregator.counts.read).toBe(pushes * size);
  });

  it("keeps nothing waiting that is of the open interval, and closes none by itself", () => {
    const { points, aggregator, window } = setUp();
    const id = window.series(requests, new Map());
    window.bucket(id, t0, t0 + 999, one(1));
    expect(aggregator.counts.read).toBe(0);
    window.closeUntil(t0 + 1_000);
    window.bucket(id, t0 + 1_999, t0 + 2_998, one(2));
    expect(aggregator.counts.read).toBe(2);
    window.bucket(id, t0 + 2_000, t0 + 2_999, one(3));
    expect(aggregator.counts.read).toBe(2);
    expect(points.intervals).toEqual([t0 + 1_000]);
    window.closeUntil(t0 + 2_000);
    expect(aggregator.counts.read).toBe(3);
    expect(points.intervals).toEqual([t0 + 1_000, t0 + 2_000]);
  });

  it("loses nothing of a generator whose clock is years away", () => {
    const { aggregator, window } = setUp();
    const id = window.series(requests, new Map());
    for (const ms of [0, t0 - 400 * 86_400_000, t0 + 400 * 86_400_000]) {
      window.bucket(id, ms, ms + 999, one(5));
    }
    window.flush();
    expect(aggregator.counts).toMatchObject({ read: 3, aggregated: 3 });
    expect(aggregator.totals()[0]?.value).toBe(15);
    expect([window.oldestMs, window.newestMs]).toEqual([t0, t0 + 60_000]);
  });
});

/** The library against a scripted receiver. What a real Prometheus makes of it: test/integration/library.test.ts. */
import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PrometheusRemoteWrite } from "../../../src/library/prometheus-remote-write.ts";
import type { PrometheusRemoteWriteOptions } from "../../../src/library/options.ts";
import { UsageError } from "../../../src/errors.ts";
import { receivedNames, receivedValue } from "../../support/received-points.ts";
import {
  type ReceiverServer,
  type ReceiverServerOptions,
  startReceiverServer,
  storedAnswer,
} from "../../support/receiver-server.ts";
import { leaveSpool, segmentFile } from "../../support/spooled-run.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
let receiver: ReceiverServer;
beforeEach(async () => {
  folder = await createTemporaryFolder();
  receiver = await startReceiverServer();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function start(options: PrometheusRemoteWriteOptions = {}): Promise<PrometheusRemoteWrite> {
  return PrometheusRemoteWrite.start({
    url: receiver.url,
    testid: "run-1",
    test: "checkout",
    spoolDir: folder.path,
    drainTimeout: "2s",
    ...options,
  });
}

async function restart(script: ReceiverServerOptions): Promise<void> {
  await receiver[Symbol.asyncDispose]();
  receiver = await startReceiverServer(script);
}

/** A store that answers 503 until it is told otherwise. */
async function startAway(): Promise<{ isAway: boolean }> {
  const store = { isAway: true };
  await restart({
    defaultAnswer: (request) =>
      store.isAway ? { status: 503, body: "not today" } : storedAnswer(request),
  });
  return store;
}

const total = (labels: Readonly<Record<string, string>>) =>
  receivedValue(receiver.requests, { testid: "run-1", ...labels });

describe("recording", () => {
  it("sums what was recorded by tags and by handle, however the tags are spelled", async () => {
    const output = await start();
    const orders = output.counter("orders");
    orders.add();
    orders.add(2, { route: "/cart", retried: true });
    orders.add(3, { retried: true, route: "/cart" });
    orders.with({ route: "/cart" }).with({ retried: true }).add(4);
    orders.with({ route: "/cart", retried: false }).add(5, { retried: true });
    orders.add(6, { route: undefined, retried: "" });
    output.counter("orders").add(7);
    const report = await output.finish();
    expect(total({ __name__: "k6_orders_total", route: "/cart", retried: "true" })).toBe(14);
    expect(total({ __name__: "k6_orders_total" })).toBe(28);
    expect(report.series.made).toBe(2);
    expect(receiver.violations).toEqual([]);
  });

  it("keeps apart what only looks alike when spelled", async () => {
    const output = await start();
    const counter = output.counter("c");
    counter.add(1, { a: "bc" });
    counter.add(1, { ab: "c" });
    counter.add(1, { a: "b", c: "d" });
    counter.add(1, { a: "bcd" });
    expect((await output.finish()).series.made).toBe(4);
  });

  it("takes the time of a sample, and that of now where none is given", async () => {
    const output = await start();
    const beforeMs = Date.now();
    output.gauge("now").set(1);
    output.gauge("then").set(1, {}, beforeMs - 100.5);
    const report = await output.finish();
    expect(report.lastPointMs).toBeGreaterThanOrEqual(beforeMs);
    expect(report.lastPointMs).toBeLessThanOrEqual(Date.now() + 1);
    expect(total({ __name__: "plimsoll_run_start_time_seconds" })).toBe((beforeMs - 101) / 1_000);
  });

  it("drops and counts what is no sample", async () => {
    const output = await start();
    output.counter("c").add(-1);
    output.trend("t").add(NaN);
    // As a program without types may.
    output.trend("t").add(Number("none"), { a: "b" });
    output.gauge("g").set(1, {}, Number.NaN);
    const report = await output.finish();
    expect(report.samples).toMatchObject({
      read: 4,
      aggregated: 0,
      dropped: { negative_counter: 1, not_finite: 2, timestamp_out_of_range: 1 },
    });
    expect(report.isComplete).toBe(false);
  });

  it("does not append texts that a program without types adds up", async () => {
    const output = await start();
    const counter: { add(value: unknown): void } = output.counter("c");
    counter.add("1");
    counter.add("2");
    await output.finish();
    expect(total({ __name__: "k6_c_total" })).toBe(3);
  });

  it("loses nothing where each sample has tags of its own", async () => {
    const output = await start({ maxSeries: 8 });
    const counter = output.counter("c");
    for (let n = 0; n < 1_000; n++) counter.add(1, { id: n % 100 });
    const report = await output.finish();
    expect(total({ __name__: "k6_c_total" })).toBe(1_000);
    expect(report.series).toMatchObject({ made: 9 });
    expect(report.series.overflowed).toBeGreaterThan(0);
  });

  it("has k6's metrics as k6 has them", async () => {
    const output = await start();
    output.trend("http_req_duration").add(250);
    output.trend("size", { contains: "data" }).add(1);
    output.trend("share").add(1);
    await output.finish();
    const names = receivedNames(receiver.requests).filter((name) => name.startsWith("k6_"));
    expect(names).toEqual([
      "k6_http_req_duration_p99",
      "k6_http_req_duration_seconds",
      "k6_share",
      "k6_share_p99",
      "k6_size_bytes",
      "k6_size_p99",
    ]);
    expect(total({ __name__: "k6_http_req_duration_p99" })).toBeCloseTo(0.25, 2);
  });

  it.each([
    [
      (output: PrometheusRemoteWrite) => output.gauge("orders"),
      /"orders" is a counter, and cannot be a gauge too/,
    ],
    [
      (output: PrometheusRemoteWrite) => output.counter("checks"),
      /"checks" is a rate of k6's, and cannot/,
    ],
    [
      (output: PrometheusRemoteWrite) => output.trend("http_req_duration", { contains: "data" }),
      /"http_req_duration" is a trend of time of k6's, and cannot be a trend of data too/,
    ],
    [
      (output: PrometheusRemoteWrite) => output.counter("no spaces"),
      /"no spaces" is not the name of a metric/,
    ],
    [(output: PrometheusRemoteWrite) => output.counter(""), /"" is not the name of a metric/],
  ])("refuses a metric that cannot be, case %#", async (define, message) => {
    await using output = await start();
    output.counter("orders");
    expect(() => define(output)).toThrow(UsageError);
    expect(() => define(output)).toThrow(message);
  });

  it("refuses samples after the end", async () => {
    const output = await start();
    const counter = output.counter("c");
    const handle = counter.with({ a: "b" });
    counter.add(1);
    await output.finish();
    expect(() => counter.add(1)).toThrow(/after finish/);
    expect(() => handle.add(1)).toThrow(UsageError);
    expect(total({ __name__: "k6_c_total" })).toBe(1);
  });
});

describe("the end", () => {
  it("says how the run ended, and gives the same report again", async () => {
    const output = await start({ generator: "my runner 1.0", tags: { team: "shop" } });
    output.counter("c").add(1);
    const thresholds = [{ metric: "c", threshold: "count>5", ok: false }];
    const report = await output.finish({ state: "aborted_by_threshold", thresholds });
    expect(await output.finish()).toBe(report);
    expect(report).toMatchObject({
      testid: "run-1",
      test: "checkout",
      state: "aborted_by_threshold",
    });
    expect(report.thresholds).toEqual(thresholds);
    expect(report.summary).toEqual({ c: { count: 1 } });
    const info = { __name__: "plimsoll_run_info", generator: "my runner 1.0", team: "shop" };
    expect(total(info)).toBe(1);
    expect(total({ __name__: "plimsoll_threshold_ok", metric: "c" })).toBe(0);
  });

  it("comes with await using", async () => {
    {
      await using output = await start();
      output.counter("c").add(5);
    }
    expect(total({ __name__: "k6_c_total" })).toBe(5);
  });

  it("makes an id of test and time where there is none", async () => {
    await using output = await start({ testid: undefined, test: undefined });
    expect(output.test).toBe("test");
    expect(output.testid).toMatch(/^test-\d{8}T\d{6}-[0-9a-f]{4}$/);
  });

  it("of a run without samples is a report too", async () => {
    const output = await start();
    expect(await output.finish()).toMatchObject({
      isComplete: true,
      samples: { read: 0 },
      lastPointMs: 0,
    });
  });
});

describe("a store that is away", () => {
  it("ends the start with its reason", async () => {
    await restart({ defaultAnswer: () => ({ status: 401 }) });
    await expect(start()).rejects.toMatchObject({ code: "RECEIVER_UNUSABLE" });
  });

  it("leaves everything in the spool, is in the report and throws nothing; the next start delivers it", async () => {
    const store = await startAway();
    const output = await start({ preflight: false, drainTimeout: "100ms" });
    output.counter("c").add(5);
    const report = await output.finish();
    expect(report.isComplete).toBe(false);
    expect(report.points.pending).toBe(report.points.encoded);
    expect(report.points.pending).toBeGreaterThan(0);
    expect(report.notices).toEqual([expect.stringContaining("the receiver was not asked")]);

    store.isAway = false;
    const told: string[] = [];
    const next = await start({ onNotice: (text) => told.push(text) });
    const recovered = await next.finish();
    expect(recovered.points.recovered).toBe(report.points.pending);
    expect(recovered.points.pending).toBe(0);
    expect(total({ __name__: "k6_c_total" })).toBe(5);
    expect(told).toEqual([expect.stringContaining("requests of an earlier process of this run")]);
    expect(recovered.notices).toEqual(told);
  });

  it("is in the progress, with its reason", async () => {
    const store = await startAway();
    const output = await start({ preflight: false, pushInterval: "100ms", lateness: "0s" });
    output.counter("c").add(5);
    await expect
      .poll(() => output.progress.delivery)
      .toMatchObject({ kind: "retrying", reason: "http_503" });
    const { samples, points } = output.progress;
    expect(samples).toMatchObject({ read: 1, aggregated: 1 });
    expect(points.pending).toBe(points.encoded);
    store.isAway = false;
    expect(await output.finish()).toMatchObject({ isComplete: true });
  });
});

it("says what was damaged in the spool, and is not complete without it", async () => {
  const { directory } = await leaveSpool({
    spoolDir: folder.path,
    testid: "run-1",
    url: receiver.url,
    count: 6,
    segmentBytes: 300,
  });
  await rm(segmentFile(directory, 3));
  const output = await start();
  expect(output.progress.corruptRequests).toBe(2);
  const report = await output.finish();
  expect(report).toMatchObject({ corruptRequests: 2, isComplete: false });
  expect(report.points.delivered).toBe(report.points.recovered + report.points.encoded);
});

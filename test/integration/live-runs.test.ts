/**
 * Runs that generators push to a server: what was acknowledged is in Prometheus, exactly, whatever happens in between.
 *
 * The service runs in a process of its own (test/support/live-host.mjs); pushes are encoded by an independent side. A proxy
 * before the store checks that no series goes out of order.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { journalPath } from "../../src/server/live/journal.ts";
import { encodeMetricSet } from "../support/encode-metric-set.ts";
import { type FaultyProxy, startFaultyProxy } from "../support/faulty-proxy.ts";
import { seeded } from "../support/k6-run.ts";
import { type LiveHost, type LiveHostOptions, startLiveHost } from "../support/live-host.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { PushingGenerator } from "../support/pushing-generator.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

describeWithTool("prometheus-3", "live runs", (program) => {
  let prometheus: Prometheus;
  let proxy: FaultyProxy;
  let folder: TemporaryFolder;
  let host: LiveHost | undefined;
  beforeAll(async () => {
    prometheus = await startPrometheus({ program });
  });
  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = await createTemporaryFolder();
    proxy = await startFaultyProxy({ target: prometheus.writeUrl, fault: () => undefined });
  });
  afterEach(async () => {
    for (const one of [host, proxy, folder]) await one?.[Symbol.asyncDispose]();
    host = undefined;
  });

  const start = async (options: Partial<LiveHostOptions> = {}): Promise<LiveHost> =>
    (host = await startLiveHost({ dataDir: folder.path, writeUrl: proxy.url, ...options }));

  /** The last value of each series, stale or not. */
  const last = async (series: string): Promise<number> => {
    const results = await prometheus.query(`sum(last_over_time(${series}[10m]))`);
    return results[0]?.value ?? NaN;
  };
  const expectStored = async (
    testid: string,
    generators: readonly PushingGenerator[],
  ): Promise<void> => {
    const total = (of: (generator: PushingGenerator) => number) =>
      generators.reduce((sum, generator) => sum + of(generator), 0);
    const expected = {
      requests: total(({ requests }) => requests),
      failed: total(({ failed }) => failed),
      durations: total(({ durationsMs }) => durationsMs.length),
    };
    await vi.waitFor(
      async () => {
        const run = `testid="${testid}"`;
        const histogram = `histogram_count(sum(last_over_time(k6_http_req_duration_seconds{${run}}[10m])))`;
        expect({
          requests: await last(`k6_http_reqs_total{${run}}`),
          failed: await last(`k6_http_req_failed_total{${run},condition="nonzero"}`),
          durations: (await prometheus.query(histogram))[0]?.value,
        }).toEqual(expected);
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(proxy.violations).toEqual([]);
  };

  it("stores what is pushed, and how the run ended", async () => {
    const host = await start();
    const { run } = await host.start({
      thresholds: [
        { metric: "http_reqs", expression: "count>10", abortOnFail: false, delayAbortEvalMs: 0 },
        {
          metric: "http_req_duration{status:200}",
          expression: "max<5",
          abortOnFail: false,
          delayAbortEvalMs: 0,
        },
      ],
    });
    expect(run.state).toBe("initializing");
    const generator = new PushingGenerator(host, run.id, "one");
    for (let second = 0; second < 3; second++) {
      await generator.push(50);
      expect((await host.run(run.id)).state).toBe("running");
      await delay(1_000);
    }
    const ended = await host.end(run.id, { state: "finished" });
    expect(ended).toMatchObject({ state: "finished", result: "failed", hasLateData: false });
    expect(ended.thresholds.map(({ ok }) => ok)).toEqual([true, false]);
    expect(ended.summary).toContainEqual({ metric: "http_reqs", stat: "count", value: 150 });
    await expectStored(run.testid, [generator]);
    const states = `last_over_time(plimsoll_run_state{testid="${run.testid}"}[10m])`;
    await expect
      .poll(
        async () => {
          const found = await prometheus.query(states);
          return Object.fromEntries(found.map(({ metric, value }) => [metric["state"], value]));
        },
        { timeout: 10_000 },
      )
      // What ends a run is sent behind its last samples.
      .toEqual({ running: 0, finished: 1 });
  });

  it("loses nothing that was acknowledged when the server is killed again and again", async () => {
    const host = await start();
    const { run } = await host.start({});
    const random = seeded(20261122);
    const generators = ["a", "b"].map((name) => new PushingGenerator(host, run.id, name));
    let isOver = false;
    const pushing = generators.map(async (generator) => {
      while (!isOver) {
        await generator.push(20);
        await delay(100 + random() * 100);
      }
    });
    for (let kill = 0; kill < 6; kill++) {
      await delay(500 + random() * 1_500);
      await host.kill();
      await delay(random() * 300);
      await host.restart();
    }
    isOver = true;
    await Promise.all(pushing);
    const ended = await host.end(run.id, { state: "finished" });
    const count = generators.reduce((sum, { requests }) => sum + requests, 0);
    expect(ended.summary).toContainEqual({ metric: "http_reqs", stat: "count", value: count });
    await expectStored(run.testid, generators);
    expect(proxy.requests.filter(({ end }) => Number(end) >= 400)).toEqual([]);
  });

  it("takes samples for as long as the store is away, and stores them as well as ever", async () => {
    await proxy.goDown();
    const host = await start();
    const { run } = await host.start({});
    const generator = new PushingGenerator(host, run.id, "one");
    for (let second = 0; second < 3; second++) {
      await generator.push(30);
      await delay(500);
    }
    await host.end(run.id, { state: "finished" });
    await host.kill();
    await host.restart();
    await proxy.comeUp();
    await expectStored(run.testid, [generator]);
  });

  it("goes on after an orderly end with what lies in the journal and in the spool", async () => {
    const host = await start({ flags: { drainTimeoutMs: "500ms" } });
    const { run } = await host.start({});
    const generator = new PushingGenerator(host, run.id, "one");
    await generator.push(30);
    await delay(2_000);
    await proxy.goDown();
    await generator.push(30);
    await delay(2_000);
    await generator.push(30);
    await host.stop();
    await proxy.comeUp();
    await host.restart();
    await generator.push(30);
    await host.end(run.id, { state: "finished" });
    await expectStored(run.testid, [generator]);
  });

  it("keeps the series of named instances apart, whatever their clocks say", async () => {
    const host = await start();
    const { run } = await host.start({});
    const clocksMs = { ahead: 3_000, right: 0, behind: -4_000 };
    const generators = Object.entries(clocksMs).map(
      ([name, ms]) => [new PushingGenerator(host, run.id, "one", name), ms] as const,
    );
    for (let second = 0; second < 5; second++) {
      await Promise.all(
        generators.map(([generator, ms]) => generator.push(10, Date.now() - 1_000 + ms)),
      );
      await delay(1_000);
    }
    await host.end(run.id, { state: "finished" });
    await expectStored(
      run.testid,
      generators.map(([generator]) => generator),
    );
    const series = await prometheus.query(
      `last_over_time(k6_http_reqs_total{testid="${run.testid}"}[10m])`,
    );
    expect(
      Object.fromEntries(series.map(({ metric, value }) => [metric["instance_id"], value])),
    ).toEqual({ ahead: 50, right: 50, behind: 50 });
  });

  it("stores and marks what comes after the end, as part of the same totals", async () => {
    const host = await start({ service: { runTimeoutMs: 2_000 } });
    const { run } = await host.start({});
    const generator = new PushingGenerator(host, run.id, "one");
    await generator.push(30);
    await vi.waitFor(async () => expect((await host.run(run.id)).state).toBe("timed_out"), {
      timeout: 10_000,
      interval: 100,
    });
    await expectStored(run.testid, [generator]);
    await generator.push(30);
    expect(await host.run(run.id)).toMatchObject({ hasLateData: true, state: "timed_out" });
    await host.kill();
    await host.restart();
    await generator.push(30);
    await expectStored(run.testid, [generator]);
    await vi.waitFor(
      async () =>
        expect((await host.run(run.id)).summary).toContainEqual({
          metric: "http_reqs",
          stat: "count",
          value: 90,
        }),
      { timeout: 20_000, interval: 100 },
    );
  });

  it("times out a run that never gets a sample, and one whose generator is silent", async () => {
    const host = await start({ service: { runTimeoutMs: 1_000 } });
    const { run } = await host.start({});
    await vi.waitFor(
      async () =>
        expect(await host.run(run.id)).toMatchObject({ state: "timed_out", result: "error" }),
      { timeout: 10_000, interval: 100 },
    );
  });

  it("goes on without a journal that has no room, and loses nothing in an orderly restart", async () => {
    await proxy.goDown();
    const host = await start({
      service: { journalLimitBytes: 2_000 },
      flags: { trends: "native", drainTimeoutMs: "500ms" },
    });
    const { run } = await host.start({});
    const generator = new PushingGenerator(host, run.id, "one");
    for (let push = 0; push < 6; push++) await generator.push(30);
    expect(host.stderr).toContain("limit of 2000 bytes is reached: samples are taken and sent");
    await host.stop();
    await proxy.comeUp();
    await host.restart();
    await generator.push(30);
    const ended = await host.end(run.id, { state: "finished" });
    // Of the whole run nobody has it, and half of it would be wrong.
    expect(ended.summary).toEqual([]);
    // Counted anew, which `increase()` and `rate()` add up.
    const series = `k6_http_reqs_total{testid="${run.testid}"}[10m]`;
    const ask = async (promql: string) => (await prometheus.query(promql))[0]?.value;
    await vi.waitFor(
      async () => {
        const [before, after] = [`max_over_time(${series})`, `last_over_time(${series})`];
        expect([await ask(before), await ask(after), await ask(`resets(${series})`)]).toEqual([
          180, 30, 1,
        ]);
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(proxy.violations).toEqual([]);
  });

  it("begins anew with what comes long after the end, and leaves the summary as it was", async () => {
    const host = await start({ service: { lateMs: 0 } });
    const { run } = await host.start({});
    const generator = new PushingGenerator(host, run.id, "one");
    await generator.push(30);
    const ended = await host.end(run.id, { state: "finished" });
    await expectStored(run.testid, [generator]);
    const journal = journalPath(join(folder.path, "journals"), run);
    await vi.waitFor(() => expect(existsSync(journal)).toBe(false), { timeout: 10_000 });
    const late = new PushingGenerator(host, run.id, "two");
    await late.push(20);
    await expectStored(run.testid, [late]);
    const after = await host.run(run.id);
    expect(after).toMatchObject({ state: "finished", hasLateData: true, summary: ended.summary });
    const states = await prometheus.query(`plimsoll_run_state{testid="${run.testid}"} == 1`);
    expect(states.map(({ metric }) => metric["state"])).toEqual(["finished"]);
  });

  it("tells generators to stop where they can be told, also after a restart, and keeps what they push", async () => {
    const host = await start();
    const { run } = await host.start({});
    const generator = new PushingGenerator(host, run.id, "one");
    await generator.push(10);
    expect(await host.ask(`/stop/${run.id}`, "ann")).toBe("stopping");
    await host.kill();
    await host.restart();
    expect(await generator.push(10)).toBe("stopped");
    const ended = await host.end(run.id, { state: "aborted_by_system" });
    expect(ended).toMatchObject({ state: "aborted_by_user", result: "error" });
    expect(ended.history.at(-1)).toMatchObject({ by: "ann" });
    await expectStored(run.testid, [generator]);
    const { run: newer } = await host.start({ source: "cloud-v6" });
    expect(await host.ask(`/stop/${newer.id}`, "ann")).toBe("unstoppable");
    expect(await host.ask("/stop/999", "ann")).toBe("unknown_run");
  });

  it("refuses a body that nobody can read, and counts one that is repeated once", async () => {
    const host = await start();
    const { run } = await host.start({});
    const bomb = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
    for (const body of [Buffer.from("no snappy"), Buffer.alloc(0), bomb]) {
      await expect(host.push({ runId: run.id, key: "x", body })).rejects.toThrow("answers 400");
    }
    const values = [{ seconds: Math.floor(Date.now() / 1_000) - 1, values: [1, 1, 1] }];
    const body = encodeMetricSet([
      { name: "http_reqs", type: "counter", series: [{ tags: {}, values }] },
    ]);
    const push = { runId: run.id, key: "same", body };
    const outcomes = await Promise.all([1, 2, 3].map(() => host.push(push)));
    await host.kill();
    await host.restart();
    outcomes.push(await host.push(push));
    expect(outcomes.sort()).toEqual(["repeated", "repeated", "repeated", "stored"]);
    const ended = await host.end(run.id, { state: "finished" });
    expect(ended.summary).toEqual([{ metric: "http_reqs", stat: "count", value: 3 }]);
  });
});

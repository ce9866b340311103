/**
 * Charts and tables of runs: real runs of k6 in real stores, held against what k6 itself counted, and runs that were
 * written, where the time matters: of one second, with a gap, of several generators, one that goes on.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChartSet, RunTables } from "../../src/charts/chart-data.ts";
import { chartsOf, type ChartsOfStore, line, overRun, total } from "../support/charted-run.ts";
import { quantileRange } from "../support/k6-results.ts";
import { ingestRun, type RecordedRun, recordRun } from "../support/recorded-run.ts";
import { encodeRun, type PastRun } from "../support/run-history.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { storeKinds, type RunStore } from "../support/stores.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";
import { postRequest, writeSeries } from "../support/write-series.ts";

/** As PromQL must not read it; its name is a file's, too. */
const testid = 'run "1"\\d+{é}';

describeWithTool("k6-2", "a run of k6", (k6) => {
  let shop: Shop;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    shop = await startShop();
    folder = await createTemporaryFolder();
  });
  afterAll(async () => {
    await shop?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  let recorded: RecordedRun | undefined;
  for (const kind of storeKinds) {
    describeWithTool(kind.tool, `in ${kind.name}`, (program) => {
      let store: RunStore;
      let charts: ChartsOfStore;
      let set: ChartSet;
      let tables: RunTables;
      let run: RecordedRun;
      beforeAll(async () => {
        store = await kind.start(program);
        charts = chartsOf(store.writeUrl);
        const options = { testid, test: "checkout", writeUrl: store.writeUrl, folder: folder.path };
        if (recorded) {
          await ingestRun(recorded.file, options);
        } else {
          recorded = await recordRun({
            ...options,
            k6,
            script: "checks-and-groups.js",
            env: { BASE_URL: shop.url, ITERATIONS: "400" },
          });
        }
        run = recorded;
        await store.settle(JSON.stringify(testid).slice(1, -1));
        const record = overRun(testid, { startMs: run.k6.oldestMs, endMs: run.k6.newestMs });
        set = await charts.charts(record, "run");
        tables = await charts.tables(record);
      });
      afterAll(async () => {
        await charts?.[Symbol.asyncDispose]();
        await store?.[Symbol.asyncDispose]();
      });

      it("counts what k6 counted, to the last request, in whatever steps it is asked for", async () => {
        const counts = run.k6.counts();
        const requests = counts.get("k6_http_reqs_total{}") ?? 0;
        const iterations = counts.get("k6_iterations_total{}");
        expect(requests).toBeGreaterThan(1_000);
        expect(total(set, "requests", "done")).toBe(requests);
        expect(total(set, "requests", "failed")).toBe(
          counts.get('k6_http_req_failed_total{condition="nonzero"}'),
        );
        expect(total(set, "iterations", "done")).toBe(iterations);
        const record = overRun(testid, { startMs: run.k6.oldestMs, endMs: run.k6.newestMs });
        const coarse = await charts.charts(record, "run", { stepSeconds: 7, only: ["requests"] });
        expect(coarse.charts.map(({ id }) => id)).toEqual(["requests"]);
        expect(coarse.times.every((time) => time % 7 === 0)).toBe(true);
        expect(total(coarse, "requests", "done")).toBe(requests);
      });

      it("has in each step the requests of that step", () => {
        const done = line(set, "requests", "done");
        const p95 = line(set, "latency", "p95");
        expect(set.step).toBe(1);
        let steps = 0;
        for (const [index, time] of set.times.entries()) {
          const isInStep = ({ timeMs }: { readonly timeMs: number }): boolean =>
            timeMs >= (time - 1) * 1_000 && timeMs < time * 1_000;
          const taken = run.k6.observations("http_req_duration", isInStep);
          expect(done[index]).toBe(taken.length);
          if (taken.length === 0) continue;
          steps += 1;
          const { low, high } = quantileRange(taken, 0.95);
          if (kind.trends === "native") {
            expect(p95[index]).toBeGreaterThan(low * 0.99);
            expect(p95[index]).toBeLessThan(high * 1.01);
          } else {
            expect(p95[index]).toBeGreaterThan(0);
          }
        }
        expect(steps).toBeGreaterThan(1);
      });

      it("has quantiles and counts of the whole run as k6 has them", () => {
        const durations = run.k6.observations("http_req_duration");
        for (const { percent, seconds } of tables.ladder) {
          const { low, high } = quantileRange(durations, percent / 100);
          const slack = kind.trends === "native" ? 0.01 : 0.5;
          expect(seconds, `p${percent}`).toBeGreaterThan(low * (1 - slack));
          expect(seconds, `p${percent}`).toBeLessThan(high * (1 + slack));
        }
        const byName = new Map<string, number>();
        for (const { metric, tags } of run.k6.samples) {
          if (metric !== "http_reqs") continue;
          byName.set(tags["name"] ?? "", (byName.get(tags["name"] ?? "") ?? 0) + 1);
        }
        expect(new Map(tables.endpoints.map(({ name, count }) => [name, count]))).toEqual(byName);
        const [first] = tables.endpoints;
        const ofFirst = run.k6.observations(
          "http_req_duration",
          ({ tags }) => tags["name"] === first?.name,
        );
        const sum = ofFirst.reduce((all, seconds) => all + seconds, 0);
        expect(first?.totalSeconds).toBeCloseTo(sum, 5);
        expect(first?.avg).toBeCloseTo(sum / ofFirst.length, 5);
      });

      it("has the scenarios, groups, checks and failures", () => {
        const counts = run.k6.counts();
        expect(tables.scenarios).toMatchObject([
          { name: "default", count: counts.get("k6_iterations_total{}"), failedRatio: null },
        ]);
        expect(tables.groups.map(({ name, count }) => [name, count])).toContainEqual([
          "shop::details",
          run.k6.observations("group_duration", ({ tags }) => tags["group"] === "::shop::details")
            .length,
        ]);
        const passes = tables.checks.reduce((all, check) => all + check.passes, 0);
        const fails = tables.checks.reduce((all, check) => all + check.fails, 0);
        expect(passes).toBe(counts.get('k6_checks_total{condition="nonzero"}'));
        expect(fails).toBe(counts.get('k6_checks_total{condition="zero"}'));
        expect(tables.errors).toEqual([
          {
            name: expect.stringContaining("/products/reviews"),
            status: "404",
            errorCode: "1404",
            count: counts.get('k6_http_req_failed_total{condition="nonzero"}'),
          },
        ]);
      });

      it("draws every chart that a store can have of it", () => {
        expect(set.charts.filter(({ series }) => series.length === 0)).toEqual([]);
        expect(set.charts.map(({ id }) => id)).toEqual([
          "requests",
          "latency",
          "failed",
          "vus",
          "iterations",
          "phases",
          "endpoints",
          "data",
          "generator",
        ]);
        const { series = [] } = set.charts.find(({ id }) => id === "endpoints") ?? {};
        expect(series.map(({ name }) => name)).toEqual(tables.endpoints.map(({ name }) => name));
      });
    });
  }
});

for (const kind of storeKinds.filter(({ trends }) => trends === "native")) {
  describeWithTool(kind.tool, `runs in ${kind.name}`, (program) => {
    let store: RunStore;
    let charts: ChartsOfStore;
    // A whole second, so that what is known of each step is easy to say.
    const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
    const past: PastRun = {
      testid: "past",
      test: "checkout",
      startMs: nowMs - 600_000 + 345,
      seconds: 20,
      durationMs: 40,
      vus: 5,
      tags: {},
    };
    const write = async (run: PastRun): Promise<void> => {
      for (const { body } of encodeRun(run, true)) await postRequest(store.writeUrl, body);
    };
    const over = ({ testid: id, startMs, seconds }: PastRun) =>
      overRun(id, { startMs, endMs: startMs + seconds * 1_000 });

    beforeAll(async () => {
      store = await kind.start(program);
      charts = chartsOf(store.writeUrl);
    });
    afterAll(async () => {
      await charts?.[Symbol.asyncDispose]();
      await store?.[Symbol.asyncDispose]();
    });

    it("has the one step of a run of less than a second", async () => {
      const run = { ...past, testid: "short", seconds: 0 };
      await write(run);
      const set = await charts.charts(over(run), "run");
      expect(set.times).toHaveLength(1);
      expect(total(set, "requests", "done")).toBe(2);
      expect(line(set, "latency", "p99")[0]).toBeCloseTo(0.04, 3);
    });

    it("counts each generator of a run for as long as it lasts", async () => {
      const first = { ...past, testid: "two", generator: { instance_id: "a" } };
      const second = {
        ...first,
        generator: { instance_id: "b" },
        startMs: past.startMs + 5_000,
        seconds: 30,
        durationMs: 400,
      };
      await write(first);
      await write(second);
      const record = overRun("two", { startMs: first.startMs, endMs: second.startMs + 30_000 });
      const set = await charts.charts(record, "run");
      // Two endpoints, once a second, the second of its end included.
      expect(total(set, "requests", "done")).toBe(2 * (21 + 31));
      const { ladder, endpoints } = await charts.tables(record);
      expect(endpoints.map(({ count }) => count)).toEqual([52, 52]);
      // 42 requests of 40 ms, 62 of 400 ms.
      expect(ladder[0]).toMatchObject({ percent: 50, seconds: expect.closeTo(0.4, 2) });
      const p50 = line(set, "latency", "p50");
      expect(p50[0]).toBeCloseTo(0.04, 3);
      expect(p50.at(-1)).toBeCloseTo(0.4, 2);
      expect(p50.every((value) => value !== null)).toBe(true);
    });

    it("counts a generator that was killed later than another one ended", async () => {
      const ended = { ...past, testid: "killed", generator: { instance_id: "a" } };
      await write(ended);
      const at = (seconds: number): number => past.startMs - 345 + seconds * 1_000;
      await writeSeries(store.writeUrl, [
        {
          name: "k6_http_reqs_total",
          labels: { testid: "killed", instance_id: "b", name: "a" },
          points: [
            [at(0), 0],
            [at(10), 5],
            [at(50), 9],
          ],
        },
      ]);
      // Two minutes of silence end it.
      const record = {
        ...overRun("killed", { startMs: past.startMs, endMs: at(170) }),
        state: "timed_out",
      } as const;
      const set = await charts.charts(record, "run", { only: ["requests"] });
      expect(set.times.at(-1)).toBe(at(50) / 1_000);
      expect(total(set, "requests", "done")).toBe(2 * 21 + 9);
    });

    it("knows at once of a generator that has ended while others go on", async () => {
      const ended = {
        ...past,
        testid: "half",
        startMs: nowMs - 25_000 + 345,
        generator: { instance_id: "a" },
      };
      await write(ended);
      await writeSeries(store.writeUrl, [
        {
          name: "k6_http_reqs_total",
          labels: { testid: "half", instance_id: "b", name: "a" },
          points: [
            [nowMs - 20_000, 0],
            [nowMs - 1_000, 5],
          ],
        },
      ]);
      const record = overRun("half", { startMs: ended.startMs, endMs: nowMs });
      const { ladder } = await charts.tables({ ...record, state: "running" });
      expect(ladder[0]).toMatchObject({ percent: 50, seconds: expect.closeTo(0.04, 3) });
    });

    it("counts a part of a run as that part of it", async () => {
      await write(past);
      const whole = await charts.charts(over(past), "run");
      const range = { fromMs: past.startMs + 5_000, toMs: past.startMs + 10_000 };
      const part = await charts.charts(over(past), "run", range);
      const at = whole.times.indexOf(part.times[0] ?? 0);
      expect(at).toBeGreaterThan(0);
      for (const [id, name] of [
        ["requests", "done"],
        ["latency", "p95"],
        ["endpoints", "endpoint-1"],
        ["vus", "running"],
      ] as const) {
        expect(line(part, id, name)).toEqual(
          line(whole, id, name).slice(at, at + part.times.length),
        );
      }
    });

    it("has nothing where nothing was counted, and all of it behind a gap", async () => {
      const counter = { testid: "gap", name: "a" };
      const at = (seconds: number): number => past.startMs - 345 + seconds * 1_000;
      await writeSeries(store.writeUrl, [
        {
          name: "k6_http_reqs_total",
          labels: counter,
          points: [
            [at(0), 0],
            [at(1), 5],
            [at(400), 9],
            [at(401), 11],
          ],
        },
      ]);
      const record = overRun("gap", { startMs: at(0), endMs: at(401) });
      const set = await charts.charts(record, "run", { only: ["requests"] });
      expect(total(set, "requests", "done")).toBe(11);
      const done = line(set, "requests", "done");
      expect(done.filter((value) => value !== null && value > 0)).toEqual([5, 4, 2]);
      expect(done.filter((value) => value === null).length).toBeGreaterThan(300);
    });

    it("ends a run that goes on where all of its generators have sent", async () => {
      const series = (id: string, lastMs: number) => ({
        name: "k6_http_reqs_total",
        labels: { testid: "live", instance_id: id, name: "a" },
        points: [
          [nowMs - 20_000, 0],
          [nowMs - 10_000, 3],
          [lastMs, 8],
        ] as const,
      });
      await writeSeries(store.writeUrl, [
        series("a", nowMs - 2_000),
        series("b", nowMs - 5_000),
        // Silent for long: nobody waits for it.
        {
          name: "k6_http_reqs_total",
          labels: { testid: "live", instance_id: "c", name: "a" },
          points: [[nowMs - 100_000, 1]],
        },
      ]);
      const startMs = nowMs - 110_000;
      const running = { ...overRun("live", { startMs, endMs: nowMs }), state: "running" } as const;
      const set = await charts.charts(running, "run", { only: ["requests"] });
      expect(set.times.at(-1)).toBe(nowMs / 1_000 - 5);
    });

    it("shows the hosts and databases of that time, and says what the store has not", async () => {
      const points = Array.from({ length: 20 }, (_, index) => {
        return [past.startMs - 345 + (index - 14) * 5_000, index] as const;
      });
      await writeSeries(store.writeUrl, [
        { name: "up", labels: { instance: "db:9187" }, points },
        ...["idle", "user"].map((mode) => ({
          name: "node_cpu_seconds_total",
          labels: { instance: "db:9100", cpu: "0", mode },
          points,
        })),
        {
          name: "pg_stat_activity_count",
          labels: { instance: "db:9187", backend_type: "client backend", state: "active" },
          points,
        },
      ]);
      const set = await charts.charts(over({ ...past, testid: "past" }), "server");
      expect(set.charts.map(({ id }) => id)).toEqual(["host_cpu", "database"]);
      expect(line(set, "database", "active, db:9187").at(-1)).toBe(18);
      // Idle for a fifth of a second each second.
      expect(line(set, "host_cpu", "db:9100").at(-1)).toBeCloseTo(0.8, 1);
      expect(set.missing).toContain("Connection pools");
    });
  });
}

describe("a store that is away", () => {
  it("is said in words, with what to look at", async () => {
    await using charts = chartsOf("http://ann:secret@127.0.0.1:1/api/v1/write");
    const record = overRun("gone", { startMs: Date.now() - 10_000, endMs: Date.now() });
    const failure = await charts.tables(record).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "StoreUnreachable" });
    expect(String(failure)).toContain("http://127.0.0.1:1/api/v1/write does not answer questions");
    expect(String(failure)).not.toContain("secret");
  });
});

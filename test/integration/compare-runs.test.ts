/**
 * `GET /api/v1/compare` on two runs of a real Prometheus that are three days apart: one endpoint is 20 % slower in the second
 * and nothing else differs; a third one had another load.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Comparison } from "../../src/analyse/comparison.ts";
import { createRunCharts } from "../../src/charts/run-charts.ts";
import type { NewRun } from "../../src/runs/run-repository.ts";
import { k6Endpoints, writeK6Run } from "../support/k6-run.ts";
import { type MetricsStore, startPrometheus } from "../support/prometheus.ts";
import { queryStoreOf } from "../support/query-store.ts";
import { ingestRun } from "../support/recorded-run.ts";
import { type ServerHost, startServerHost } from "../support/server-host.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const dayMs = 24 * 3_600_000;
const startMs = Math.floor(Date.now() / dayMs) * dayMs - dayMs + 45_623;
const slower = 1.2;
/** Forty requests a second, and one at the very end. */
const requests = (seconds: number): number => 40 * seconds + 1;

const runs = {
  before: { startMs: startMs - 3 * dayMs - 137, seconds: 60, slower: {} },
  after: { startMs, seconds: 60, slower: { checkout: slower } },
  longer: { startMs: startMs - dayMs, seconds: 90, slower: {} },
} as const;
type RunName = keyof typeof runs;

describeWithTool("prometheus-3", "two runs", (program) => {
  let store: MetricsStore;
  let folder: TemporaryFolder;
  let host: ServerHost;
  const ids = {} as Record<RunName, number>;

  beforeAll(async () => {
    folder = await createTemporaryFolder();
    store = await startPrometheus({
      program,
      config: "storage: { tsdb: { out_of_order_time_window: 30d } }\n",
    });
    host = await startServerHost({ charts: createRunCharts(queryStoreOf(store)) });
    for (const name of Object.keys(runs) as RunName[]) await make(name);
  });
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  /** As `plimsoll ingest` brings the samples, and a server has the record. */
  async function make(name: RunName): Promise<void> {
    const run = runs[name];
    const file = join(folder.path, `${name}.json`);
    await writeK6Run({ file, ...run });
    const sent = await ingestRun(file, {
      testid: name,
      test: "checkout",
      writeUrl: store.writeUrl,
      folder: folder.path,
    });
    expect(sent.result.exitCode, sent.result.stderr).toBe(0);
    const { repository } = host;
    const test = await repository.ensureTest(1, "checkout", run.startMs);
    const created = await repository.create({
      testId: test.id,
      testid: name,
      source: "api",
      generator: "k6/2.2.0",
      startedBy: "test",
      options: { scenarios: { default: { executor: "constant-vus" } } },
      maxVus: 5,
      expectedSeconds: run.seconds,
      thresholds: [],
      tags: {},
      note: "",
      createdMs: run.startMs,
      tokenHash: name,
      idempotencyKey: "",
      serverId: "",
    } satisfies NewRun);
    ids[name] = created.id;
    await repository.change(created.id, {
      startedMs: run.startMs,
      lastDataMs: run.startMs + run.seconds * 1_000,
    });
    await repository.enter(
      created.id,
      { state: "finished", atMs: run.startMs + run.seconds * 1_000 },
      "passed",
    );
  }

  async function compare(base: RunName, run: RunName): Promise<Comparison> {
    const answer = await host.ask(
      host.tokens.read,
      "GET",
      `/api/v1/compare?base=${ids[base]}&run=${run}`,
    );
    expect(answer.statusCode, answer.body).toBe(200);
    return answer.json<Comparison>();
  }

  it("differ in the endpoint that is slower, by as much, and in no other", async () => {
    const { endpoints, comparable } = await compare("before", "after");
    expect(comparable).toEqual({ ok: true, reasons: [] });
    expect(endpoints.map(({ name }) => name).toSorted()).toEqual(
      Object.keys(k6Endpoints).toSorted(),
    );
    for (const { name, count, failedRatio, ...quantiles } of endpoints) {
      expect(count.ratio, name).toBe(0);
      expect(failedRatio.ratio, name).toBe(0);
      const expected = name === "checkout" ? slower - 1 : 0;
      for (const quantile of ["p50", "p95", "p99"] as const) {
        // The histogram's own error is within 1 % of each of them.
        const { ratio } = quantiles[quantile];
        expect(Math.abs((ratio ?? NaN) - expected), `${quantile} of ${name}`).toBeLessThan(0.02);
      }
    }
  });

  it("begin at the same second, and hold every request", async () => {
    const { base, run, load } = await compare("before", "after");
    expect(base.charts.step).toBe(1);
    expect(base.charts.times).toEqual(run.charts.times);
    expect(base.charts.times[0]).toBe(1);
    expect(load.find(({ name }) => name === "requests")?.difference).toEqual({
      base: requests(60),
      run: requests(60),
      ratio: 0,
    });
    const sums = [base, run].map(({ charts }) =>
      charts.charts
        .find(({ id }) => id === "requests")
        ?.series.find(({ name }) => name === "done")
        ?.values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
    );
    expect(sums).toEqual([requests(60), requests(60)]);
  });

  it("are not comparable where one had another load, and the page is told which", async () => {
    const { comparable, load } = await compare("before", "longer");
    expect(comparable).toEqual({ ok: false, reasons: ["load differed: duration +50.0 %"] });
    expect(load.find(({ name }) => name === "requests")?.difference).toMatchObject({
      base: requests(60),
      run: requests(90),
    });
  });

  it("are for those who may read every run", async () => {
    const path = `/api/v1/compare?base=${ids.before}&run=${ids.after}`;
    expect((await host.ask(host.tokens.push, "GET", path)).statusCode).toBe(403);
    const unknown = await host.ask(host.tokens.read, "GET", `/api/v1/compare?base=999&run=after`);
    expect(unknown.statusCode).toBe(404);
    const half = await host.ask(host.tokens.read, "GET", "/api/v1/compare?base=1");
    expect(half.statusCode).toBe(400);
  });
});

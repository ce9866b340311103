/**
 * Several k6 processes push into one run: their counts add up, and quantiles are those of all their samples, which each
 * writes to a file beside.
 *
 * A trend reaches the server in k6's own histogram: a value is known to within half of 0.8 %, half a microsecond below
 * 0.13 ms. The server's own is within 0.5 %.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { haveRequests, isOver } from "../support/cloud-checks.ts";
import { k6Versions, startCloudK6, type CloudK6 } from "../support/cloud-k6.ts";
import { startCloudServer, type CloudServer } from "../support/cloud-server.ts";
import { K6Results, quantileRange } from "../support/k6-results.ts";
import { startPrometheus, type Prometheus } from "../support/prometheus.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const processes = 4;
/** k6's half bucket, in seconds. */
const resolution = 0.5e-6;

let prometheus: Prometheus;
let shop: Shop;
let folder: TemporaryFolder;
let server: CloudServer;

describeWithTool("prometheus-3", "four k6 processes in one run", (program) => {
  beforeAll(async () => {
    prometheus = await startPrometheus({ program });
    shop = await startShop();
    folder = await createTemporaryFolder();
    server = await startCloudServer({ writeUrl: prometheus.writeUrl });
  });
  afterAll(async () => {
    for (const one of [server, prometheus, shop, folder]) await one[Symbol.asyncDispose]();
  });

  describe.concurrent("whose samples are added up", () => {
    for (const { tool, version } of k6Versions) {
      describeWithTool(tool, version, (k6) => {
        it.concurrent("counts all requests, and knows quantiles within 1 %", async () => {
          const { created, results } = await runFleet(k6, `fleet-${version}`, () => server.url);
          const { run } = created;
          const requests = results.map((one) => one.counts().get("k6_http_reqs_total{}") ?? NaN);
          expect(requests).toHaveLength(processes);
          const all = requests.reduce((sum, one) => sum + one, 0);
          await haveRequests(prometheus, run, all);
          await expectQuantiles(run.testid, results);
        });
      });
    }
  });

  describeWithTool("k6-2", "each with a name of its own", (k6) => {
    it("keeps them apart by instance_id, and adds them up", async () => {
      const { created, results } = await runFleet(
        k6,
        "named-fleet",
        (at) => `${server.url}/agents/agent-${at}`,
      );
      const { testid } = created.run;
      const stored = (): Promise<Record<string, number>> => requestsByInstance(testid);
      const expected = Object.fromEntries(
        results.map((one, at) => [`agent-${at}`, one.counts().get("k6_http_reqs_total{}")]),
      );
      await expect.poll(stored, { timeout: 20_000 }).toEqual(expected);
      await expectQuantiles(testid, results);
    });
  });
});

/** What the server's API says of a run that it has made for generators that only push. */
interface CreatedRun {
  readonly run: RunView;
  readonly environment: Readonly<Record<string, string>>;
}

interface Fleet {
  readonly created: CreatedRun;
  readonly results: readonly K6Results[];
}

/** Makes a run by the server's API, has it loaded, and ends it. */
async function runFleet(
  program: string,
  test: string,
  host: (process: number) => string,
): Promise<Fleet> {
  const created = (await (await server.ask("POST", "/runs", { test })).json()) as CreatedRun;
  const { id } = created.run;
  const k6s: CloudK6[] = [];
  const files: { samples: string; summary: string }[] = [];
  for (let at = 0; at < processes; at++) {
    const home = join(folder.path, `${test}-${at}`);
    await mkdir(home);
    const samples = join(home, "samples.json");
    const k6 = startCloudK6({
      program,
      flow: "k6 run --out cloud",
      folder: home,
      env: { ...created.environment, K6_CLOUD_HOST: host(at) },
      scriptEnv: { TEST: test, BASE_URL: shop.url, VUS: String(at + 1), DURATION: "4s" },
      args: ["--out", `json=${samples}`],
    });
    k6s.push(k6);
    files.push({ samples, summary: join(home, "summary.json") });
  }
  for (const k6 of k6s) {
    expect(await k6.runId).toBe(id);
    const { exitCode, stderr } = await k6.result;
    expect(exitCode, stderr).toBe(0);
    await k6[Symbol.asyncDispose]();
  }
  // None of them says that it ends: the run goes on until somebody does.
  expect((await server.run(id)).state).toBe("running");
  await server.ask("POST", `/runs/${id}/end`, {});
  expect(await server.waitForRun(id, isOver)).toMatchObject({
    state: "finished",
    result: "passed",
  });
  const results = files.map(({ samples, summary }) => K6Results.read(samples, summary));
  return { created, results: await Promise.all(results) };
}

async function requestsByInstance(testid: string): Promise<Record<string, number>> {
  const counts = await prometheus.query(
    `sum by (instance_id) (last_over_time(k6_http_reqs_total{testid="${testid}"}[5m]))`,
  );
  return Object.fromEntries(counts.map(({ metric, value }) => [metric["instance_id"], value]));
}

/** Of the requests of all processes together, against their samples. */
async function expectQuantiles(testid: string, results: readonly K6Results[]): Promise<void> {
  const values = results.flatMap((one) => one.observations("http_req_duration"));
  expect(values.length).toBeGreaterThan(200);
  for (const q of [0.1, 0.5, 0.9, 0.95, 0.99]) {
    const histogram = `last_over_time(k6_http_req_duration_seconds{testid="${testid}"}[5m])`;
    const [only] = await prometheus.query(`histogram_quantile(${q}, sum(${histogram}))`);
    const value = only?.value ?? NaN;
    const { low, high } = quantileRange(values, q);
    const exact = Math.min(Math.max(value, low), high);
    const allowed = Math.max(0.01 * exact, resolution);
    expect(Math.abs(value - exact), `quantile ${q}: ${value}, ${exact}`).toBeLessThanOrEqual(
      allowed,
    );
  }
}

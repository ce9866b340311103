/**
 * Unmodified k6 that loses its way to the server in the middle of a run, and finds it again: a TCP proxy between the two.
 *
 * Thirty seconds without a packet is what TCP bears; the server being away is another thing, and ten seconds of it show
 * what k6 does at any length: it tries each push three times within two seconds, and drops it.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { haveRequests, isOver, requestsOf } from "../support/cloud-checks.ts";
import { k6Versions, startCloudK6, type CloudK6, type Flow } from "../support/cloud-k6.ts";
import { expectInMatrix } from "../support/cloud-matrix.ts";
import { startCloudServer, type CloudServer } from "../support/cloud-server.ts";
import { startPrometheus, type Prometheus } from "../support/prometheus.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTools, findTool } from "../support/tools.ts";
import { findFreePort } from "../../src/free-port.ts";

const outageSeconds = 30;
const absenceSeconds = 10;
/** Longer than the silence after which its server takes a run for timed out. */
const silenceSeconds = 8;

let prometheus: Prometheus;
let shop: Shop;
let folder: TemporaryFolder;

const tools = ["prometheus-3", ...k6Versions.map(({ tool }) => tool)] as const;

describeWithTools(tools, "k6 that loses the network", () => {
  beforeAll(async () => {
    prometheus = await startPrometheus({ program: findTool("prometheus-3")! });
    shop = await startShop();
    folder = await createTemporaryFolder();
  });
  afterAll(async () => {
    for (const one of [prometheus, shop, folder]) await one[Symbol.asyncDispose]();
  });

  describe.concurrent("and finds it again", () => {
    it.concurrent(`loses nothing where packets are lost for ${outageSeconds} s`, async () => {
      await using world = await start("lost-packets", outageSeconds + 12, [
        "k6 run --out cloud",
        "k6 cloud run --local-execution",
      ]);
      await world.haveData();
      world.proxy.stall();
      await delay(outageSeconds * 1_000);
      for (const { id } of world.runs) {
        expect((await world.server.run(id)).state).toBe("running");
      }
      await world.proxy.comeBack();
      for (const one of world.runs) {
        const { run, requests, exitCode, stderr, version, flow } = await world.endOf(one);
        expect(exitCode).toBe(0);
        await haveRequests(prometheus, run, requests, stderr);
        expect(run).toMatchObject({ state: "finished", result: "passed", hasLateData: false });
        await expectInMatrix(
          `${flow}: no packet arrives for ${outageSeconds} s`,
          version,
          `${run.state}, ${run.result}, exit ${exitCode}, nothing lost`,
        );
      }
    });

    it.concurrent("goes on where the server was away, without what k6 gave up", async () => {
      await using world = await start("away", absenceSeconds + 10, [undefined]);
      await world.haveData();
      await world.proxy.refuse();
      await delay(absenceSeconds * 1_000);
      const before = await Promise.all(
        world.runs.map(async ({ id }) => await requestsOf(prometheus, await world.server.run(id))),
      );
      await world.proxy.comeBack();
      for (const [at, one] of world.runs.entries()) {
        const { run, requests = NaN, exitCode, version } = await world.endOf(one);
        expect(exitCode).toBe(0);
        expect(run).toMatchObject({ state: "finished", result: "passed" });
        const stored = await requestsOf(prometheus, run);
        expect(stored).toBeGreaterThan(before[at] ?? NaN);
        expect(stored).toBeLessThan(requests);
        await expectInMatrix(
          `the server is away for ${absenceSeconds} s`,
          version,
          `${run.state}, ${run.result}, exit ${exitCode}, k6 drops what it tried three times`,
        );
      }
    });

    it.concurrent("keeps and marks what comes after a run has timed out", async () => {
      const flags = ["--run-timeout", "4s"];
      await using world = await start("silent", silenceSeconds + 10, [undefined], flags);
      await world.haveData();
      world.proxy.stall();
      await delay(silenceSeconds * 1_000);
      for (const { id } of world.runs) {
        expect(await world.server.run(id)).toMatchObject({ state: "timed_out", result: "error" });
      }
      await world.proxy.comeBack();
      for (const one of world.runs) {
        const { run, requests, exitCode, stderr, version } = await world.endOf(one);
        expect(exitCode).toBe(0);
        await haveRequests(prometheus, run, requests, stderr);
        expect(run).toMatchObject({ state: "timed_out", hasLateData: true });
        await expectInMatrix(
          "is silent for longer than the server waits",
          version,
          `${run.state}, ${run.result}, exit ${exitCode}, late data stored`,
        );
      }
    });
  });
});

interface StartedRun {
  readonly id: number;
  readonly k6: CloudK6;
  readonly version: string;
  readonly flow: Flow;
}

interface World extends AsyncDisposable {
  readonly proxy: TcpProxy;
  readonly server: CloudServer;
  readonly runs: readonly StartedRun[];
  /** Resolves when requests of each run are in the store. */
  haveData(): Promise<void>;
  endOf(one: StartedRun): Promise<
    StartedRun & {
      readonly run: RunView;
      readonly requests: number | undefined;
      readonly exitCode: number | null;
      readonly stderr: string;
    }
  >;
}

/** A server behind a proxy, and a k6 of each version and flow. `undefined`: the newest flow that the version has. */
async function start(
  name: string,
  seconds: number,
  wanted: readonly (Flow | undefined)[],
  flags: readonly string[] = [],
): Promise<World> {
  const resources: AsyncDisposable[] = [];
  const use = <Resource extends AsyncDisposable>(resource: Resource): Resource => {
    resources.unshift(resource);
    return resource;
  };
  const port = await findFreePort();
  const proxy = use(await startTcpProxy(() => `http://127.0.0.1:${port}`));
  const server = use(
    await startCloudServer({
      writeUrl: prometheus.writeUrl,
      port,
      flags: ["--public-url", proxy.url, ...flags],
    }),
  );
  const env = await server.k6Environment(proxy.url);
  const runs: StartedRun[] = [];
  for (const { tool, version } of k6Versions) {
    const program = findTool(tool);
    if (program === undefined) throw new Error(`${tool} is not installed`);
    for (const flow of wanted.map((one) => one ?? newestFlow(version))) {
      const home = join(folder.path, `${name}-${version}-${runs.length}`);
      await mkdir(home);
      const test = `${name}-${runs.length}`;
      const scriptEnv = { TEST: test, BASE_URL: shop.url, DURATION: `${seconds}s`, PAUSE: "0.2" };
      const k6 = use(startCloudK6({ program, flow, folder: home, env, scriptEnv }));
      runs.push({ id: await k6.runId, k6, version, flow });
    }
  }
  return {
    proxy,
    server,
    runs,
    async haveData() {
      for (const { id } of runs) {
        const run = await server.waitForRun(id, ({ state }) => state === "running");
        await vi.waitFor(async () => expect(await requestsOf(prometheus, run)).toBeGreaterThan(0), {
          timeout: 20_000,
          interval: 200,
        });
      }
    },
    async endOf(one) {
      const { exitCode, stderr } = await one.k6.result;
      const run = await server.waitForRun(one.id, isOver);
      return { ...one, run, exitCode, stderr, requests: await one.k6.requests() };
    },
    async [Symbol.asyncDispose]() {
      for (const resource of resources) await resource[Symbol.asyncDispose]();
    },
  };
}

function newestFlow(version: string): Flow {
  return version === "2.2.0" ? "k6 cloud run --local-execution" : "k6 run --out cloud";
}

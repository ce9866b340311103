/**
 * The library as it is packed: the programs of docs/library.md and the examples run against a real Prometheus, and
 * its types hold.
 */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type InstalledPackage, installPackage, runModule } from "../support/installed-package.ts";
import { startPrometheus, type MetricsStore } from "../support/prometheus.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { describeWithTool } from "../support/tools.ts";

const typescript = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

let installed: InstalledPackage;
let shop: Shop;
beforeAll(async () => {
  installed = await installPackage(["@types/node"]);
  shop = await startShop();
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await installed[Symbol.asyncDispose]();
});

/** The JavaScript of a page of the docs, block by block. */
async function programs(page: string): Promise<string[]> {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^ *```js\n([\s\S]*?)^ *```/gm)].map(([, block = ""]) => block);
}

async function runText(name: string, text: string, env?: Readonly<Record<string, string>>) {
  await writeFile(join(installed.folder, name), text);
  return runModule(installed, [name], env);
}

describeWithTool("prometheus-3", "from the packed tarball", (program) => {
  let store: MetricsStore;
  beforeAll(async () => {
    store = await startPrometheus({ program });
  });
  afterAll(() => store[Symbol.asyncDispose]());

  /** The sum of a metric's series, also of those that have ended. */
  async function total(series: string): Promise<number | undefined> {
    const [only] = await store.query(`sum(last_over_time(${series}[5m]))`);
    return only?.value;
  }

  it("runs the programs of docs/library.md", async () => {
    const blocks = await programs("library.md");
    expect(blocks).toHaveLength(3);
    const env = { PLIMSOLL_REMOTE_WRITE_URL: store.writeUrl };
    const printed = [];
    for (const [index, block] of blocks.entries()) {
      const text = block
        .replaceAll("http://localhost:9090/api/v1/write", store.writeUrl)
        .replaceAll("http://localhost:8080", shop.url);
      const { exitCode, stdout, stderr } = await runText(`block-${index}.mjs`, text, env);
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
      printed.push(stdout.trim());
    }
    expect(printed).toEqual([
      expect.stringMatching(/^\d+ points of run checkout-\S+ are in the store$/),
      "",
      "1 samples, 0 points still to send",
    ]);
    expect(await total('k6_orders_total{test="checkout",team="shop",payment="card"}')).toBe(100);
    expect(await total('k6_failed_total{test="checkout",condition="zero"}')).toBe(100);
    expect(await total("shop_orders_total")).toBe(1);
    expect(await total('k6_http_reqs_total{testid="checkout-42"}')).toBe(1);
    expect(await total('plimsoll_threshold_ok{testid="checkout-42"}')).toBe(1);
  });

  it("runs examples/custom-runner.mjs, whose requests are those that the shop counted", async () => {
    const route = { http_route: "/products/:id" };
    const counted = () => shop.metric("http_server_request_duration_seconds_count", route);
    const before = await counted();
    const runner = join(installed.packageFolder, "examples", "custom-runner.mjs");
    const { exitCode, stdout, stderr } = await runModule(
      installed,
      [runner, `${shop.url}/products/1`, "--duration", "1"],
      { PLIMSOLL_REMOTE_WRITE_URL: store.writeUrl, PLIMSOLL_TESTID: "custom" },
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^custom: \d+ requests, .* 0 pending\n$/);
    expect(exitCode).toBe(0);
    const requests = (await counted()) - before;
    expect(requests).toBeGreaterThan(5);
    const own = 'testid="custom"';
    for (const series of [
      `k6_http_reqs_total{${own},status="200"}`,
      `k6_http_req_failed_total{${own},condition="zero"}`,
      `k6_checks_total{${own},condition="nonzero"}`,
      `k6_iterations_total{${own}}`,
    ]) {
      expect(await total(series), series).toBe(requests);
    }
    const observed = `sum(histogram_count(last_over_time(k6_http_req_duration_seconds{${own}}[5m])))`;
    expect((await store.query(observed))[0]?.value).toBe(requests);
  });

  it("runs examples/artillery/processor.mjs in the threads in which Artillery runs it", async () => {
    const { exitCode, stdout, stderr } = await runText("artillery.mjs", artillery, {
      PLIMSOLL_REMOTE_WRITE_URL: store.writeUrl,
      PLIMSOLL_TESTID: "artillery-1",
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^plimsoll: run artillery-1\n(plimsoll: \d+ samples read, (\d+) of \2 points delivered\n){2}$/,
    );
    const own = 'testid="artillery-1"';
    expect(await total(`k6_http_reqs_total{${own}}`)).toBe(600);
    expect(await total(`k6_http_reqs_total{${own},instance_id="worker-1"}`)).toBe(300);
    expect(await total(`k6_http_reqs_total{${own},status="503",name="/cart"}`)).toBe(200);
    expect(await total(`k6_http_reqs_total{${own},error_code="ECONNREFUSED"}`)).toBe(200);
    expect(await total(`k6_http_req_failed_total{${own},condition="nonzero"}`)).toBe(400);
    expect(await total(`k6_iterations_total{${own}}`)).toBe(200);
    expect(await total(`k6_vus{${own}}`)).toBe(0);
    const sum = `sum(histogram_sum(last_over_time(k6_http_req_duration_seconds{${own}}[5m])))`;
    // 0.1 + 20 + 0.4 ms, four hundred times.
    expect((await store.query(sum))[0]?.value).toBeCloseTo(8.2, 6);
  });

  it("leaves the process alone, which ends by itself also without finish, and keeps a spool", async () => {
    const { exitCode, stdout, stderr } = await runText("unfinished.mjs", unfinished, {
      PLIMSOLL_REMOTE_WRITE_URL: store.writeUrl,
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("no listener was added\n");
    expect(exitCode).toBe(0);
    expect((await readdir(join(installed.folder, "unfinished"))).join()).toMatch(/^left-/);
  });
});

it("has types that hold for a program under NodeNext, and for the examples", async () => {
  await writeFile(join(installed.folder, "program.ts"), typed);
  await writeFile(
    join(installed.folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        lib: ["es2022"],
        types: ["node"],
        strict: true,
        exactOptionalPropertyTypes: true,
        allowJs: true,
        checkJs: true,
        maxNodeModuleJsDepth: 0,
        noEmit: true,
      },
      files: [
        "program.ts",
        "node_modules/plimsoll/examples/custom-runner.mjs",
        "node_modules/plimsoll/examples/artillery/processor.mjs",
      ],
    }),
  );
  const { exitCode, stdout } = await runModule(installed, [typescript, "-p", "."]);
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});

/** Two workers that call the hooks as Artillery does, from its documentation and its `platform/local/worker`. */
const artillery = `
import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
const hooks = await import("./node_modules/plimsoll/examples/artillery/processor.mjs");
if (isMainThread) {
  await hooks.startRun({ vars: {} });
  const workers = [new Worker(new URL(import.meta.url)), new Worker(new URL(import.meta.url))];
  await Promise.all(workers.map((worker) => once(worker, "message")));
  await hooks.finishRun({ vars: {} });
  await Promise.all(workers.map((worker) => worker.terminate()));
} else {
  const phases = { wait: 1, dns: 0, tcp: 2, request: 0.1, firstByte: 20, download: 0.4 };
  for (let n = 0; n < 100; n++) {
    const context = { vars: {}, scenario: { name: "browse" } };
    await hooks.beforeScenario(context);
    await hooks.afterResponse({ url: "http://shop/", method: "GET", name: "home" }, { statusCode: 200, timings: { phases } }, context);
    const cart = { url: "http://shop/cart?id=" + n, method: "POST" };
    await hooks.afterResponse(cart, { statusCode: 503, timings: { phases } }, context);
    await hooks.afterScenario(context);
    await hooks.beforeScenario(context);
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    await hooks.onError(refused, { url: "http://shop/" }, context);
    // An answer that is not what the script expects is an error besides.
    await hooks.beforeScenario(context);
    await hooks.onError(new Error("Failed capture or match"), cart, context);
  }
  // A worker lives until it is stopped.
  parentPort.on("message", () => undefined);
  parentPort.postMessage("done");
}
`;

const unfinished = `
import { PrometheusRemoteWrite } from "plimsoll";
const signals = () => process.eventNames().map((name) => String(name) + process.listenerCount(name)).sort().join();
const before = signals();
const output = await PrometheusRemoteWrite.start({
  url: process.env.PLIMSOLL_REMOTE_WRITE_URL, testid: "left", spoolDir: "unfinished",
});
output.counter("c").add();
console.log(signals() === before ? "no listener was added" : signals());
`;

const typed = `
import {
  ConfigError, type Counter, PrometheusRemoteWrite, type PrometheusRemoteWriteOptions, type RunReport, type Trend,
} from "plimsoll";
const options: PrometheusRemoteWriteOptions = {
  url: new URL("http://localhost:9090/api/v1/write"), tags: { build: 7 }, pushInterval: "5s", timeout: 1_000,
  onNotice: (text: string) => void text.length, env: process.env,
};
const output: PrometheusRemoteWrite = await PrometheusRemoteWrite.start(options);
const orders: Counter = output.counter("orders").with({ payment: "card" });
orders.add();
const duration: Trend = output.trend("duration", { contains: "time" });
duration.add(1.5, { route: "/", cached: false, size: undefined }, Date.now());
output.rate("failed").add(true);
output.gauge("queue").set(3);
const pending: number = output.progress.points.pending;
const report: RunReport = await output.finish({ state: "finished", thresholds: [] });
const complete: boolean = report.isComplete && pending === 0;
// @ts-expect-error a gauge is set
output.gauge("queue").add(1);
// @ts-expect-error an option that does not exist
await PrometheusRemoteWrite.start({ pushIntervalMs: 5 }).catch((error: unknown) => error instanceof ConfigError);
// @ts-expect-error no kind of values
output.trend("t", { contains: "times" });
// @ts-expect-error no state of a run
await output.finish({ state: "done" });
export { complete };
`;

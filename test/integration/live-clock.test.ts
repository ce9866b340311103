/**
 * A server whose machine's clock is set back in the middle of a run goes on to store what k6 pushes, second by second, and
 * keeps nobody waiting for longer.
 */
import process from "node:process";
import { expect, it, vi } from "vitest";
import { isOver, requestsOf } from "../support/cloud-checks.ts";
import { startCloudK6 } from "../support/cloud-k6.ts";
import { startCloudServer } from "../support/cloud-server.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { countRun, expectExact } from "../support/run-counts.ts";
import { startShop } from "../support/shop.ts";
import { startReceiverServer } from "../support/receiver-server.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTools, findTool } from "../support/tools.ts";

const clockStep = new URL("../support/clock-step.mjs", import.meta.url).href;
const patience = { timeout: 20_000, interval: 100 };

it("lets a token that has made all it may wait for no longer when the clock is set back", async () => {
  await using receiver = await startReceiverServer();
  await using server = await startCloudServer({
    writeUrl: receiver.url,
    wrapper: ["env", `NODE_OPTIONS=--import=${clockStep}`],
  });
  const makeTest = async (name: string): Promise<Response> => {
    const body = new FormData();
    body.set("name", name);
    return await fetch(`${server.url}/cloud/v6/projects/1/load_tests`, {
      method: "POST",
      headers: { Authorization: `Bearer ${server.adminToken}` },
      body,
    });
  };
  let refused = await makeTest("0");
  for (let made = 1; refused.ok; made++) refused = await makeTest(String(made));
  expect(refused.status).toBe(429);
  process.kill(server.process.pid, "SIGUSR2");
  const beforeMs = Date.now();
  await vi.waitFor(async () => {
    refused = await makeTest("one more");
    const [, loggedMs] = /"time":(\d+)[^\n]*\n$/.exec(server.process.stdout) ?? [];
    expect(Number(loggedMs)).toBeLessThan(beforeMs);
  }, patience);
  refused = await makeTest("one more");
  expect(refused.status).toBe(429);
  // The window of ten minutes, which began before.
  expect(Number(refused.headers.get("Retry-After"))).toBeLessThanOrEqual(600);
});

describeWithTools(["prometheus-3", "k6-2"], "a clock that is set back", () => {
  it("does not stop intervals from closing, nor the run from ending", async () => {
    await using prometheus = await startPrometheus({ program: findTool("prometheus-3")! });
    await using shop = await startShop();
    await using folder = await createTemporaryFolder();
    await using server = await startCloudServer({
      writeUrl: prometheus.writeUrl,
      wrapper: ["env", `NODE_OPTIONS=--import=${clockStep}`],
    });
    await using k6 = startCloudK6({
      program: findTool("k6-2")!,
      flow: "k6 run --out cloud",
      folder: folder.path,
      env: await server.k6Environment(),
      scriptEnv: { TEST: "clock", BASE_URL: shop.url, DURATION: "60s" },
      args: ["--summary-trend-stats", "count"],
    });
    const going = await server.waitForRun(await k6.runId, ({ state }) => state === "running");
    const haveMoreThan = async (requests: number): Promise<void> =>
      await vi.waitFor(
        async () => expect(await requestsOf(prometheus, going)).toBeGreaterThan(requests),
        patience,
      );
    await haveMoreThan(0);
    process.kill(server.process.pid, "SIGUSR2");
    // What was under way before the step may come yet.
    await haveMoreThan(await requestsOf(prometheus, going));
    await haveMoreThan(await requestsOf(prometheus, going));
    await haveMoreThan(await requestsOf(prometheus, going));
    k6.kill("SIGINT");
    const { stdout, stderr } = await k6.result;
    const run = await server.waitForRun(going.id, isOver);
    expect(run.state).toBe("aborted_by_user");
    expectExact(await countRun(prometheus, run, await k6.summary()), stdout + stderr);
  });
});

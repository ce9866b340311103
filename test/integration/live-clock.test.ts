/**
 * A server whose machine's clock is set back in the middle of a run goes on to store what k6 pushes, second by second.
 */
import process from "node:process";
import { expect, it, vi } from "vitest";
import { isOver, requestsOf } from "../support/cloud-checks.ts";
import { startCloudK6 } from "../support/cloud-k6.ts";
import { startCloudServer } from "../support/cloud-server.ts";
import { startPrometheus } from "../support/prometheus.ts";
import { countRun, expectExact } from "../support/run-counts.ts";
import { startShop } from "../support/shop.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTools, findTool } from "../support/tools.ts";

const clockStep = new URL("../support/clock-step.mjs", import.meta.url).href;
const patience = { timeout: 20_000, interval: 100 };

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

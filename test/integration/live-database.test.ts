/**
 * `plimsoll serve` and unmodified k6, whose run ends while the database is locked by another process, or away: no sample is
 * lost, and state, verdicts and summary come as soon as the database is back.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Libsql from "libsql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isOver } from "../support/cloud-checks.ts";
import { startCloudK6 } from "../support/cloud-k6.ts";
import { startCloudServer } from "../support/cloud-server.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { countRun, expectExact } from "../support/run-counts.ts";
import { type Shop, startShop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTools, findTool } from "../support/tools.ts";

/** Longer than a transaction is waited for (5 s), and than k6 still runs. */
const awaySeconds = 7;

describeWithTools(["prometheus-3", "k6-2"], "a run that ends without its database", () => {
  let prometheus: Prometheus;
  let shop: Shop;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    prometheus = await startPrometheus({ program: findTool("prometheus-3")! });
    shop = await startShop();
    folder = await createTemporaryFolder();
  });
  afterAll(async () => {
    for (const one of [prometheus, shop, folder]) await one[Symbol.asyncDispose]();
  });

  const check = async (
    name: string,
    flags: readonly string[],
    leave: () => Promise<() => Promise<void>>,
  ): Promise<void> => {
    await using server = await startCloudServer({ writeUrl: prometheus.writeUrl, flags });
    const home = join(folder.path, name);
    await mkdir(home);
    await using k6 = startCloudK6({
      program: findTool("k6-2")!,
      flow: "k6 cloud run --local-execution",
      folder: home,
      env: await server.k6Environment(),
      scriptEnv: { TEST: name, BASE_URL: shop.url, DURATION: "5s" },
      args: ["--summary-trend-stats", "count"],
    });
    const id = await k6.runId;
    await server.waitForRun(id, ({ state }) => state === "running");
    const comeBack = await leave();
    await delay(awaySeconds * 1_000);
    await comeBack();
    const { exitCode, stdout, stderr } = await k6.result;
    const output = stdout + stderr + server.process.stderr;
    const run = await server.waitForRun(id, isOver);
    expect({ exitCode, ...run }, output).toMatchObject({
      exitCode: 0,
      state: "finished",
      result: "passed",
      hasLateData: false,
      thresholds: [{ ok: true }],
    });
    expectExact(await countRun(prometheus, run, await k6.summary()), output);
  };

  it("is finished as if nothing had been, where another process locks it", async () => {
    const dataDir = join(folder.path, "data");
    await check("locked", ["--data-dir", dataDir], async () => {
      const other = new Libsql(join(dataDir, "plimsoll.db"), { timeout: 5_000 });
      other.exec("begin immediate");
      return async () => {
        other.exec("rollback");
        other.close();
      };
    });
  });

  describeWithPostgres("in Postgres", (postgres, startAgain) => {
    it("is finished as if nothing had been, where it is stopped and started", async () => {
      await check("stopped", ["--database-url", postgres().url], async () => {
        await postgres().stop();
        return startAgain;
      });
    });
  });
});

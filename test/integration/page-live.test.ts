/**
 * The page of a run that goes on, in a real Chromium: it moves while the load runs, and ends with the numbers of k6's own
 * summary. Then what a bad day has: the server out of reach, the store away, and both back; and the end that somebody asks for.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { signIn } from "../support/browser.ts";
import { haveRequests, isOver } from "../support/cloud-checks.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 30_000, interval: 100 };

describeWithTools(pageTools, "the page of a run that goes on", () => {
  let stage: PageStage;
  beforeAll(async () => {
    stage = await startPageStage();
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  it("moves while the load runs, and ends with what k6's own summary has", async () => {
    const k6 = await stage.k6({ name: "checkout", duration: "10s" });
    const id = await k6.runId;
    const run = new RunPage(await stage.open(`/runs/${id}`));
    await run.page.getByRole("heading", { level: 1, name: "checkout" }).waitFor();
    const served = watchShop();
    await run.rememberRequests();
    const result = await k6.result;
    const load = await served.stop();
    const requests = await k6.requests();
    expect(requests, result.stderr).toBeGreaterThan(0);
    await expect.poll(async () => await run.value("requests"), patience).toBe(requests);

    const steps = await run.rememberedRequests();
    const shown = steps.map(({ value }) => value);
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
    // How long after the shop had served so many requests the page said so.
    const lagsMs = steps.flatMap(({ atMs, value }) => {
      const then = load.find(({ requests: one }) => one >= value);
      return then && value < (requests ?? 0) ? [atMs - then.atMs] : [];
    });
    const median = lagsMs.toSorted((a, b) => a - b)[Math.floor(lagsMs.length / 2)] ?? NaN;
    process.stdout.write(
      `the page shows a request ${median} ms after the shop has served it (median of ${lagsMs.length} moves)\n`,
    );
    expect(lagsMs.length).toBeGreaterThan(3);
    const state = await stage.server.waitForRun(id, isOver);
    await haveRequests(stage.prometheus, state, requests);
    await expect.poll(async () => await run.state.textContent(), patience).toMatch(/passed/i);
  });

  it("says that the connection is lost, and catches up when it is back", async () => {
    await using way = await startTcpProxy(() => stage.server.url);
    const k6 = await stage.k6({ name: "cut off", duration: "12s" });
    const id = await k6.runId;
    const page = await stage.browser.open(way.url, { expected: [/^net::ERR_/] });
    await signIn(page, way.url, stage.tokens.read);
    await page.goto(`/runs/${id}`);
    const run = new RunPage(page);
    await expect.poll(async () => await run.value("requests"), patience).toBeGreaterThan(0);
    await way.refuse();
    await page
      .getByText(/connection (is )?lost|reconnecting/i)
      .first()
      .waitFor();
    const before = await run.value("requests");
    await way.comeBack();
    await expect.poll(async () => await run.value("requests"), patience).toBeGreaterThan(before);
    await page
      .getByText(/connection (is )?lost|reconnecting/i)
      .first()
      .waitFor({ state: "detached" });
    await k6.result;
    await expect.poll(async () => await run.value("requests"), patience).toBe(await k6.requests());
  });

  it("says that the store is away, shows what the record has, and goes on when it is back", async () => {
    const k6 = await stage.k6({ name: "no store", duration: "12s" });
    const id = await k6.runId;
    const page = await stage.open(`/runs/${id}`, { expected: [/^502: GET/] });
    const run = new RunPage(page);
    await expect.poll(async () => await run.value("requests"), patience).toBeGreaterThan(0);
    await stage.wayToStore.refuse();
    const says = page
      .getByRole("main")
      .getByText(/store|Prometheus/i)
      .filter({ hasText: /answer|reach|away/i });
    await says.first().waitFor();
    // Of the record, which is the server's own.
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "no store" }).waitFor();
    await says.first().waitFor();
    await stage.wayToStore.comeBack();
    await says.first().waitFor({ state: "detached" });
    await k6.result;
    await expect.poll(async () => await run.value("requests"), patience).toBe(await k6.requests());
  });

  it("stops a run that takes orders, after asking", async () => {
    const k6 = await stage.k6({ name: "stopped", duration: "60s", flow: "k6 run --out cloud" });
    const id = await k6.runId;
    const run = new RunPage(await stage.open(`/runs/${id}`));
    await stage.server.waitForRun(id, ({ state }) => state === "running");
    await expect.poll(async () => await run.offers("Stop run"), patience).toBe(true);
    await run.button("Stop run").click();
    await run.dialog("Stop run").getByRole("button", { name: "Stop run" }).click();
    expect((await k6.result).exitCode).toBe(105);
    await expect.poll(async () => await run.state.textContent(), patience).toMatch(/stopped|user/i);
    expect((await stage.server.run(id)).history.at(-1)).toMatchObject({ by: "admin" });
    // The button is gone: the keyboard goes on where the page begins, not at the browser's own bar.
    await expect.poll(async () => await run.offers("Stop run"), patience).toBe(false);
    await expect
      .poll(async () => await run.page.evaluate("document.activeElement.id"))
      .toBe("main");
  });

  it("says what to type where a run takes no orders, and follows its log", async () => {
    await using k6 = await stage.k6({ name: "obstinate", duration: "60s" });
    const id = await k6.runId;
    const run = new RunPage(await stage.open(`/runs/${id}`));
    await stage.server.waitForRun(id, ({ state }) => state === "running");
    await run.button("Stop run").click();
    await run.page
      .getByText(/Ctrl-C/)
      .first()
      .waitFor();
    await run.page.keyboard.press("Escape");
    const log = run.section("Log");
    await log.scrollIntoViewIfNeeded();
    await log.getByText("first iteration of 1", { exact: true }).waitFor();
    await log.getByRole("searchbox").fill("iteration of 2");
    await log.getByText("first iteration of 1", { exact: true }).waitFor({ state: "detached" });
    await log.getByText("first iteration of 2", { exact: true }).waitFor();
    k6.kill("SIGINT");
    await k6.result;
    await expect.poll(async () => await run.state.textContent(), patience).toMatch(/stopped|user/i);
  });

  /** How many requests the shop had served, and when: what the page is late behind. */
  function watchShop(): { stop(): Promise<{ atMs: number; requests: number }[]> } {
    const seen: { atMs: number; requests: number }[] = [];
    let isOn = true;
    const look = async (): Promise<void> => {
      while (isOn) {
        const requests = await stage.shop.metric("http_server_request_duration_seconds_count", {
          http_route: "/products",
        });
        seen.push({ atMs: Date.now(), requests });
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };
    const done = look();
    return {
      async stop() {
        isOn = false;
        await done;
        return seen;
      },
    };
  }
});

/**
 * The page of a run that goes on, in a real Chromium: it moves while the load runs, and ends with the numbers of k6's own
 * summary. Then what a bad day has: the server out of reach, the store away, and both back.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
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
    const k6 = await stage.k6({ name: "checkout", duration: "8s" });
    const id = await k6.runId;
    const run = new RunPage(await stage.open(`/runs/${id}`));
    await expect.poll(async () => await run.heading.textContent(), patience).toBe("checkout");
    const seen: number[] = [];
    await expect
      .poll(async () => {
        const value = await run.value("requests");
        if (value > (seen.at(-1) ?? 0)) seen.push(value);
        return seen.length;
      }, patience)
      .toBeGreaterThan(3);
    expect(await stage.server.run(id)).toMatchObject({ ended: null });
    await k6.result;
    const requests = await k6.requests();
    expect(requests).toBeGreaterThan(0);
    await expect.poll(async () => await run.value("requests"), patience).toBe(requests);
  });
});

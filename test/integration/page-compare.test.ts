/**
 * Two runs beside each other in a real Chromium, with the numbers of the API; and two whose loads were too different to say
 * anything.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Comparison } from "../../src/analyse/comparison.ts";
import type { RunView } from "../../src/server/api/run-view.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 20_000, interval: 100 };

describeWithTools(pageTools, "the comparison of two runs", () => {
  let stage: PageStage;
  let base: RunView;
  let same: RunView;
  let heavier: RunView;
  beforeAll(async () => {
    stage = await startPageStage();
    const name = "compared";
    // One after the other: they share the shop and the processors.
    ({ run: base } = await stage.ranK6({ name, duration: "4s" }));
    ({ run: same } = await stage.ranK6({ name, duration: "4s" }));
    ({ run: heavier } = await stage.ranK6({ name, duration: "4s", vus: 10 }));
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  async function comparison(run: RunView): Promise<Comparison> {
    const answer = await stage.server.ask("GET", `/compare?base=${base.id}&run=${run.id}`);
    return JSON.parse(await answer.text());
  }

  it("has the API's numbers of two that had the same load", async () => {
    const { comparable, endpoints } = await comparison(same);
    expect(comparable).toEqual({ ok: true, reasons: [] });
    expect(endpoints).toHaveLength(1);
    const page = await stage.open(`/compare?base=${base.id}&run=${same.id}`);
    await page.getByRole("heading", { level: 1, name: "Compare" }).waitFor();
    const main = page.getByRole("main");
    const [endpoint] = endpoints;
    for (const count of [endpoint?.count.base, endpoint?.count.run]) {
      const written = new Intl.NumberFormat("en").format(count ?? NaN);
      await expect.poll(async () => await main.textContent(), patience).toContain(written);
    }
    expect(await main.textContent()).not.toMatch(/not comparable/i);
    expect(await main.getByRole("figure").count()).toBeGreaterThan(2);
  });

  it("says on top that loads differed, and how", async () => {
    const { comparable } = await comparison(heavier);
    expect(comparable.ok).toBe(false);
    expect(comparable.reasons.length).toBeGreaterThan(0);
    const page = await stage.open(`/compare?base=${base.id}&run=${heavier.id}`);
    const main = page.getByRole("main");
    await expect.poll(async () => await main.textContent(), patience).toMatch(/not comparable/i);
    for (const reason of comparable.reasons) expect(await main.textContent()).toContain(reason);
  });
});

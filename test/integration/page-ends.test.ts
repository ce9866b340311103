/**
 * Each way in which a run ends, as its page says it: in words, with the reason, with k6's own numbers, and with a button that
 * says why it does not work where it does not.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { haveRequests } from "../support/cloud-checks.ts";
import type { CloudK6 } from "../support/cloud-k6.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 30_000, interval: 100 };

/** What the state says, and what is in the reason beside it. */
const ends: Readonly<Record<string, { readonly says: string; readonly reason?: string }>> = {
  finishes: { says: "Finished Passed" },
  "fails a threshold": { says: "Finished Thresholds failed" },
  "aborts on a threshold": { says: "Aborted by threshold Thresholds failed" },
  throws: { says: "Aborted by script error Error", reason: "the script is wrong" },
  "takes too long in setup()": { says: "Aborted by limit Error", reason: "setup" },
  "calls test.abort()": { says: "Aborted by user Error", reason: "seen enough" },
  "calls test.fail()": { says: "Aborted by system Error" },
  "is killed": { says: "Timed out Error" },
};

describeWithTools(pageTools, "the page of a run that is over", () => {
  let stage: PageStage;
  const runs = new Map<string, { readonly run: RunView; readonly k6: CloudK6 }>();
  beforeAll(async () => {
    // Of the one that is killed nothing is heard any more.
    stage = await startPageStage({ flags: ["--run-timeout", "8s"] });
    const begin = async (name: string): Promise<void> => {
      const k6 = await stage.k6({
        name,
        ends: name,
        duration: name === "is killed" ? "60s" : "3s",
      });
      const id = await k6.runId;
      if (name === "is killed") {
        await stage.server.waitForRun(id, ({ state }) => state === "running");
        k6.kill("SIGKILL");
      }
      await k6.result;
      const run = await stage.server.waitForRun(id, ({ ended }) => ended !== null);
      runs.set(name, { run, k6 });
    };
    await Promise.all(Object.keys(ends).map(begin));
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  it.each(Object.entries(ends))("%s: says how, why, and k6's own numbers", async (name, end) => {
    const { run, k6 } = runs.get(name) ?? expect.unreachable(name);
    const page = new RunPage(await stage.open(`/runs/${run.id}`));
    await expect.poll(async () => await page.heading.textContent(), patience).toContain(name);
    await expect.poll(async () => await page.state.textContent(), patience).toBe(end.says);
    if (end.reason !== undefined) {
      await page.page
        .getByRole("banner")
        .or(page.page.locator("header"))
        .getByText(end.reason)
        .first()
        .waitFor();
    }
    // k6 expects a gracefulStop that a whole run does not need.
    expect((await page.page.locator(".run-progress").allTextContents()).join("")).not.toContain(
      " of ",
    );
    // It is over: there is nothing to stop.
    expect(await page.offers("Stop run")).toBe(false);

    const requests = await k6.requests();
    const expected = requests ?? count(run, "http_reqs");
    if (expected > 0) {
      await haveRequests(stage.prometheus, run, expected);
      await expect.poll(async () => await page.value("requests"), patience).toBe(expected);
      expect(count(run, "http_reqs")).toBe(expected);
    }
  });

  it("says that charts and tables are asked for, not that there are none", async () => {
    const { run } = runs.get("finishes") ?? expect.unreachable();
    const page = await stage.open("/runs");
    const held: (() => void)[] = [];
    await page.route(/\/(charts|tables)/, async (route) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await route.continue();
    });
    await page.goto(`/runs/${run.id}`);
    const parts = new RunPage(page);
    await parts.section("Endpoints").getByText("Asking the server …").waitFor();
    await parts.section("Load and latency").getByText("Asking the server …").waitFor();
    for (const letGo of held) letGo();
    await parts.section("Endpoints").getByRole("table", { name: "All endpoints" }).waitFor();
    await page.getByRole("navigation", { name: "On this page" }).getByText("Log").click();
    await expect.poll(async () => await page.evaluate("document.activeElement.id")).toBe("log");
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  it("takes a note from the keyboard alone, and leaves the focus where it was written", async () => {
    const { run } = runs.get("finishes") ?? expect.unreachable();
    const page = await stage.open(`/runs/${run.id}`);
    await page.getByRole("button", { name: /^(Write a|Edit) note$/ }).press("Enter");
    await expect
      .poll(async () => await page.evaluate("document.activeElement.tagName"))
      .toBe("TEXTAREA");
    await page.keyboard.type("slower than in June");
    await page.getByRole("button", { name: "Save note" }).press("Enter");
    await new RunPage(page).section("Notes").getByText("slower than in June").waitFor();
    await expect
      .poll(async () => await page.evaluate("document.activeElement.textContent"))
      .toBe("Edit note");
  });
});

function count({ summary }: RunView, metric: string): number {
  return summary.find((row) => row.metric === metric && row.stat === "count")?.value ?? 0;
}

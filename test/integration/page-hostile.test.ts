/**
 * A run whose every name, tag, reason, log line, check, endpoint, note and file is markup, control and bidirectional
 * characters, or a megabyte long: nothing but its own cell changes, no script runs, nothing else is asked for.
 */
import { appendFile, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { sentinel } from "../support/browser.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 20_000, interval: 100 };

const markup = `</td></table><script>${sentinel}(1)</script><img src=x onerror=${sentinel}(2)><b>bold`;
/** Right-to-left from here on, and what a terminal would obey. */
const hostile = `${markup}\u202Egnp.exe\u2066\u001B[31m\u0007`;
/** k6 takes 300 characters. */
const name = `${hostile}${"n".repeat(300 - hostile.length)}`;

describeWithTools(pageTools, "a run full of hostile texts", () => {
  let stage: PageStage;
  let run: RunView;
  let plain: RunView;
  beforeAll(async () => {
    stage = await startPageStage();
    const script = join(stage.folder, `<img src=x onerror=${sentinel}(3)>.js`);
    await copyFile(fileURLToPath(new URL("../support/hostile-script.js", import.meta.url)), script);
    await appendFile(script, `//${markup}${"x".repeat(1_000_000)}\n`);
    [{ run }, { run: plain }] = await Promise.all([
      stage.ranK6({ name, script, scriptEnv: { HOSTILE: hostile } }),
      stage.ranK6({ name: "plain" }),
    ]);
    await stage.server.ask("PATCH", `/runs/${run.id}`, {
      note: hostile + "n".repeat(10_000 - hostile.length),
    });
    const [first] = (await stage.server.run(run.id)).history.slice(-1);
    expect(first).toMatchObject({
      state: "aborted_by_user",
      reason: expect.stringContaining("<b>"),
    });
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  it.each([1280, 400])("is text on its page, %i pixels wide", async (width) => {
    const page = await stage.open(`/runs/${run.id}`, { width });
    const heading = page.getByRole("heading", { level: 1 });
    await expect.poll(async () => await heading.textContent(), patience).toContain("<script>");
    const main = page.getByRole("main");
    // Its endpoint, check, log line: each where it belongs.
    for (const section of ["Endpoints", "Checks", "Log", "Script"]) {
      const region = page.getByRole("region", { name: section, exact: true });
      await region.scrollIntoViewIfNeeded();
      await expect.poll(async () => await region.textContent(), patience).toContain("onerror=");
    }
    await expectHarmless(page);
    expect(await main.count()).toBe(1);
  });

  it.each([1280, 400])("is text in the list and in comparisons, %i pixels wide", async (width) => {
    const page = await stage.open("/runs", { width });
    await page.getByRole("link", { name: plain.testid, exact: true }).waitFor();
    await expect
      .poll(async () => await page.getByRole("table").first().textContent(), patience)
      .toContain("<script>");
    await expectHarmless(page);
    await page.goto(`/compare?base=${plain.id}&run=${run.id}`);
    await expect
      .poll(async () => await page.getByRole("main").textContent(), patience)
      .toContain("onerror=");
    await expectHarmless(page);
  });
});

/** Nothing of it became an element, and the page is as wide as its window. */
async function expectHarmless(page: Page): Promise<void> {
  const made = `document.querySelectorAll("img[src='x'], script:not([src]), iframe, b").length`;
  expect(await page.evaluate(made)).toBe(0);
  const overflow = "document.documentElement.scrollWidth - innerWidth";
  expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
}

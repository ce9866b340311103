/**
 * What axe finds on each page and state, light and dark, and what can be done without a mouse: everything.
 */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { findAccessProblems } from "../support/browser.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 20_000, interval: 100 };

describeWithTools(pageTools, "the page for everybody", () => {
  let stage: PageStage;
  let run: RunView;
  let failed: RunView;
  beforeAll(async () => {
    stage = await startPageStage();
    [{ run }, { run: failed }] = await Promise.all([
      stage.ranK6({ name: "seen by all" }),
      stage.ranK6({ name: "failed", ends: "fails a threshold" }),
    ]);
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  const open = async (page: Page, button: string): Promise<void> => {
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("dialog").waitFor();
  };
  const states: readonly {
    readonly name: string;
    readonly path: () => string;
    readonly prepare?: (page: Page) => Promise<void>;
    readonly isStranger?: boolean;
    readonly width?: number;
  }[] = [
    { name: "sign in", path: () => "/sign-in", isStranger: true },
    { name: "the list", path: () => "/runs" },
    { name: "the list, narrow", path: () => "/runs", width: 400 },
    { name: "nothing found", path: () => "/runs?search=nothing-like-this" },
    { name: "a run that passed", path: () => `/runs/${run.id}` },
    { name: "a run, narrow", path: () => `/runs/${run.id}`, width: 400 },
    { name: "a run that failed", path: () => `/runs/${failed.id}` },
    { name: "sharing", path: () => `/runs/${run.id}`, prepare: (page) => open(page, "Share") },
    {
      name: "deleting",
      path: () => `/runs/${run.id}`,
      prepare: (page) => open(page, "Delete run"),
    },
    { name: "a comparison", path: () => `/compare?base=${run.id}&run=${failed.id}` },
    { name: "a comparison of nothing", path: () => "/compare" },
    { name: "no such run", path: () => "/runs/987654" },
    { name: "no such page", path: () => "/nowhere" },
  ];

  describe.each(["light", "dark"] as const)("%s", (scheme) => {
    it.each(states)("axe finds nothing serious: $name", async (state) => {
      const { path, prepare, isStranger = false, width = 1280 } = state;
      const page = await stage.open(path(), {
        scheme,
        width,
        role: isStranger ? null : "admin",
        expected: [/^40[14]: GET (\/api|\/nowhere)/],
      });
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined);
      await prepare?.(page);
      expect(await findAccessProblems(page)).toEqual([]);
      const overflow = "document.documentElement.scrollWidth - innerWidth";
      expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
    });
  });

  it("is used with the keyboard alone", async () => {
    const page = await stage.open("/runs", { role: null, expected: [/^401: GET \/api/] });
    const { keyboard } = page;
    await page.getByRole("textbox", { name: "Token" }).waitFor();
    await tabTo(page, "Token");
    await keyboard.type(stage.tokens.admin);
    await keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();

    // What is found, chosen and compared.
    await tabTo(page, "Search runs");
    await keyboard.type("seen by all");
    await page
      .getByRole("link", { name: failed.testid, exact: true })
      .waitFor({ state: "detached" });
    await tabTo(page, `Select run ${run.id}`);
    await keyboard.press("Space");
    expect(await page.getByRole("checkbox", { name: `Select run ${run.id}` }).isChecked()).toBe(
      true,
    );
    await tabTo(page, run.testid);
    await keyboard.press("Enter");
    const opened = new RunPage(page);
    await page.getByRole("heading", { level: 1, name: "seen by all" }).waitFor();

    await tabTo(page, "Star");
    await keyboard.press("Enter");
    await expect
      .poll(async () => await stage.server.run(run.id), patience)
      .toMatchObject({ starred: true });

    // A dialog holds the focus, and Esc gives it back.
    await tabTo(page, "Share");
    await keyboard.press("Enter");
    await opened.dialog("Share").waitFor();
    await keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement?.closest('dialog') !== null")).toBe(true);
    await keyboard.press("Escape");
    await opened.dialog("Share").waitFor({ state: "hidden" });
    expect(await focused(page)).toContain("Share");

    // The cursor of a chart.
    await page.locator("figure [tabindex='0']").first().focus();
    await keyboard.press("ArrowLeft");
    await keyboard.press("ArrowLeft");

    await tabTo(page, "Delete run");
    await keyboard.press("Enter");
    const dialog = opened.dialog("Delete run");
    await dialog.waitFor();
    await tabTo(page, "Delete run");
    await keyboard.press("Enter");
    const isThere = async (): Promise<boolean> =>
      await stage.server.run(run.id).then(
        () => true,
        () => false,
      );
    await expect.poll(isThere, patience).toBe(false);
  });
});

/** Presses Tab until what has the focus has this name; fails where it comes round without. */
async function tabTo(page: Page, name: string): Promise<void> {
  const seen: string[] = [];
  for (let press = 0; press < 200; press++) {
    await page.keyboard.press("Tab");
    const one = await focused(page);
    seen.push(one);
    if (one === name || one.startsWith(`${name} `)) return;
  }
  expect.fail(`Tab never came to ${name}: ${seen.join(", ")}`);
}

/** The name of what has the focus, as a screen reader says it, roughly. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate(`(() => {
    const one = document.activeElement;
    const label = one?.getAttribute("aria-label") ?? one?.labels?.[0]?.textContent ?? one?.textContent ?? "";
    return label.trim();
  })()`);
}

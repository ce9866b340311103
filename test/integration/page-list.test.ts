/**
 * The list of runs in a real Chromium: found, filtered, sorted, paged through, starred, noted, deleted and chosen for a
 * comparison, each read back from the address bar or the API.
 */
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RunListView, RunView } from "../../src/server/api/run-view.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 10_000, interval: 50 };

/** More than one page of them. */
const madeRuns = 130;

describeWithTools(pageTools, "the list of runs", () => {
  let stage: PageStage;
  /** All that are over, in the order in which they were made. */
  let made: readonly RunView[];
  beforeAll(async () => {
    stage = await startPageStage();
    const runs: RunView[] = [];
    for (let n = 0; n < madeRuns; n++) {
      runs.push(await makeRun(n));
    }
    made = runs;
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  async function makeRun(n: number): Promise<RunView> {
    const answer = await stage.server.ask("POST", "/runs", {
      test: n % 10 === 3 ? "sign-up" : "checkout",
      note: n === 42 ? "before the summer sale" : "",
      tags: { branch: n % 2 === 0 ? "main" : "topic" },
    });
    const { run }: { readonly run: RunView } = JSON.parse(await answer.text());
    const state = n % 3 === 0 ? "aborted_by_user" : "finished";
    await stage.server.ask("POST", `/runs/${run.id}/end`, { state });
    return run;
  }

  async function total(query: string): Promise<number> {
    const answer = await stage.server.ask("GET", `/runs?${query}`);
    const list: RunListView = JSON.parse(await answer.text());
    return list.total;
  }

  it("finds what is searched for as it is typed, and has it in the address", async () => {
    const page = await stage.open("/runs");
    await expectHeading(page, "Runs");
    await page.getByRole("searchbox", { name: "Search runs" }).fill("summer sale");
    await expectRuns(page, [made[42]]);
    expect(new URL(page.url()).search).toContain("summer");
    await page.reload();
    await expectRuns(page, [made[42]]);
  });

  it("filters by test and by state, as the API counts them", async () => {
    const page = await stage.open("/runs");
    await page.getByRole("combobox", { name: "Test", exact: true }).selectOption("sign-up");
    await expectCount(page, await total("test=sign-up"));
    await page
      .getByRole("combobox", { name: "State", exact: true })
      .selectOption("aborted_by_user");
    await expectCount(page, await total("test=sign-up&state=aborted_by_user"));
  });

  it("goes through all pages, each run once", async () => {
    const page = await stage.open("/runs");
    const seen = new Set<string>();
    for (;;) {
      await expect.poll(async () => (await rowNames(page)).length, patience).toBeGreaterThan(0);
      const names = await rowNames(page);
      expect(names.filter((name) => seen.has(name))).toEqual([]);
      for (const name of names) seen.add(name);
      const next = page.getByRole("button", { name: /next/i });
      if (!(await next.isEnabled())) break;
      await next.click();
      await expect.poll(async () => await rowNames(page), patience).not.toEqual(names);
    }
    expect(seen).toEqual(new Set(made.map(({ testid }) => testid)));
  });

  it("sorts by a column's header, the other way at the second press", async () => {
    const page = await stage.open("/runs");
    const header = page.getByRole("columnheader", { name: /test/i }).getByRole("button");
    await header.click();
    await expect.poll(() => new URL(page.url()).search, patience).toContain("sort=test");
    const first = async (): Promise<string> => (await rowNames(page))[0] ?? "";
    await expect.poll(first, patience).toMatch(/^checkout/);
    await header.click();
    await expect.poll(first, patience).toMatch(/^sign-up/);
  });

  it("stars, notes and deletes", async () => {
    const run = made[7] ?? expect.unreachable();
    const page = await stage.open(`/runs?search=${run.testid}`);
    const row = rowOf(page, run);
    await row.getByRole("button", { name: /^Star/ }).click();
    await expect
      .poll(async () => await stage.server.run(run.id), patience)
      .toMatchObject({ starred: true });
    await row.getByRole("button", { name: /^Delete/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: /^Delete/ }).click();
    await expectRuns(page, []);
    await expect(stage.server.run(run.id)).rejects.toThrow("404");
  });

  it("compares the two that are selected", async () => {
    const [base, run] = [made[10], made[12]];
    if (!base || !run) return expect.unreachable();
    const page = await stage.open("/runs?search=checkout&tag=branch%3Amain");
    for (const one of [base, run]) {
      await page.goto(`/runs?search=${one.testid}`);
      await page.getByRole("checkbox", { name: `Select run ${one.id}` }).check();
    }
    await page.getByRole("link", { name: "Compare selected" }).click();
    await expectHeading(page, "Compare");
    expect(new URL(page.url()).search).toBe(`?base=${base.id}&run=${run.id}`);
  });

  it("shows what is running now on top, and that it is over", async () => {
    const k6 = await stage.k6({ name: "running", duration: "4s" });
    const id = await k6.runId;
    const page = await stage.open("/runs");
    const now = page.getByRole("region", { name: "Running now" });
    const { testid } = await stage.server.run(id);
    await now.getByRole("link", { name: testid }).waitFor();
    await k6.result;
    await expect
      .poll(async () => await now.getByRole("link", { name: testid }).count(), {
        timeout: 20_000,
      })
      .toBe(0);
    await rowOf(page, { id, testid }).waitFor();
  });
});

function table(page: Page): Locator {
  return page.getByRole("table", { name: "Runs", exact: true });
}

function rowOf(page: Page, { testid }: Pick<RunView, "id" | "testid">): Locator {
  return table(page)
    .getByRole("row")
    .filter({ has: page.getByRole("link", { name: testid, exact: true }) });
}

/** The testids of the rows. */
async function rowNames(page: Page): Promise<readonly string[]> {
  return await table(page).locator("tbody").getByRole("link").allTextContents();
}

async function expectRuns(page: Page, runs: readonly (RunView | undefined)[]): Promise<void> {
  const expected = runs.map((run) => run?.testid);
  await expect.poll(async () => await rowNames(page), patience).toEqual(expected);
}

async function expectCount(page: Page, count: number): Promise<void> {
  expect(count).toBeGreaterThan(0);
  await expect.poll(async () => (await rowNames(page)).length, patience).toBe(count);
}

async function expectHeading(page: Page, text: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();
}

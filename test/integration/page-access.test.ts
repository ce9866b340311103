/**
 * Who sees what in a real Chromium: signing in and out, what each role is offered, and links that show one run to who is not
 * signed in, for a while.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import type { CreatedShare } from "../../src/server/api/session-view.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
import { describeWithTools } from "../support/tools.ts";

const patience = { timeout: 10_000, interval: 50 };
const expected = [/^40[134]: \w+ \/api\//];

describeWithTools(pageTools, "signing in and sharing", () => {
  let stage: PageStage;
  let run: RunView;
  let other: RunView;
  beforeAll(async () => {
    stage = await startPageStage();
    [{ run }, { run: other }] = await Promise.all([
      stage.ranK6({ name: "shared" }),
      stage.ranK6({ name: "private" }),
    ]);
  });
  afterAll(async () => await stage[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  it("asks who is not signed in for a token, and goes on to what was asked for", async () => {
    const page = await stage.open(`/runs/${run.id}`, { role: null, expected });
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    const token = page.getByRole("textbox", { name: "Token" });
    await token.fill("plm_0000000000000000000000000000000000000000000");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await token.fill(stage.tokens.read);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "shared" }).waitFor();
    // No script of a page can read it.
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(
      await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })"),
    ).not.toContain("plm_");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await page.goto("/runs");
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  });

  it("offers who may read no button that would be refused", async () => {
    const page = new RunPage(await stage.open(`/runs/${run.id}`, { role: "read" }));
    await page.button("Share").waitFor();
    expect(await page.offers("Delete run")).toBe(false);
    const admin = new RunPage(await stage.open(`/runs/${run.id}`));
    await admin.button("Delete run").waitFor();
    expect(await admin.offers("Delete run")).toBe(true);
  });

  it("shows one run to who has a link, and no other", async () => {
    const { url } = await share(600);
    const page = new RunPage(await stage.open("/sign-in", { role: null, expected }));
    await page.page.goto(url);
    await expect.poll(async () => await page.heading.textContent(), patience).toBe("shared");
    await expect.poll(async () => await page.value("requests"), patience).toBeGreaterThan(0);
    // Neither in the address bar nor in what "back" would show.
    expect(page.page.url()).not.toContain("pls_");
    expect(await page.offers("Delete run")).toBe(false);
    await page.page.goto(`/runs/${other.id}`);
    await page.page
      .getByRole("main")
      .getByText(/private/)
      .waitFor({ state: "detached" });
    expect(await page.page.getByRole("heading", { level: 1, name: "private" }).count()).toBe(0);
  });

  it("says that a link is worth nothing any more once it is revoked", async () => {
    const { url, share: made } = await share(600);
    await stage.server.ask("DELETE", `/runs/${run.id}/shares/${made.id}`);
    const page = await stage.open("/sign-in", { role: null, expected });
    await page.goto(url);
    await page
      .getByText(/expired|revoked|no longer/i)
      .first()
      .waitFor();
    expect(await page.getByRole("heading", { level: 1, name: "shared" }).count()).toBe(0);
  });

  it("makes a link on the page that works, and revokes it there", async () => {
    const page = new RunPage(await stage.open(`/runs/${run.id}`, { expected }));
    await page.button("Share").click();
    const dialog = page.dialog("Share");
    await dialog.getByRole("button", { name: /(make|create).* link/i }).click();
    const link = dialog.getByRole("textbox", { name: /link/i });
    await expect.poll(async () => await link.inputValue(), patience).toContain("#share=pls_");
    const guest = new RunPage(await stage.open("/sign-in", { role: null, expected }));
    await guest.page.goto(await link.inputValue());
    await expect.poll(async () => await guest.heading.textContent(), patience).toBe("shared");
    await dialog
      .getByRole("button", { name: /revoke/i })
      .first()
      .click();
    await expect
      .poll(async () => {
        await guest.page.reload();
        return await guest.page.getByRole("heading", { level: 1 }).textContent();
      }, patience)
      .not.toBe("shared");
  });

  async function share(seconds: number): Promise<CreatedShare> {
    const answer = await stage.server.ask("POST", `/runs/${run.id}/shares`, { seconds });
    return JSON.parse(await answer.text());
  }
});

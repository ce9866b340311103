/**
 * `plimsoll report`: its file is opened from disk by a Chromium that has no network, and shows what the server's API says.
 */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import type { ChartSet, RunTables } from "../../src/charts/chart-data.ts";
import type { RunView } from "../../src/server/api/run-view.ts";
import type { ReportData } from "../../src/web/report/report-data.ts";
import { findAccessProblems, type PageOptions, sentinel } from "../support/browser.ts";
import { pageTools, type PageStage, startPageStage } from "../support/page-stage.ts";
import { type PlimsollResult, runPlimsoll } from "../support/plimsoll.ts";
import { RunPage } from "../support/run-page.ts";
import { describeWithTools } from "../support/tools.ts";

const hostile = `</script></td><script>${sentinel}(1)</script><img src=x onerror=${sentinel}(2)><!--\u202E\u001B[31m`;

describeWithTools(pageTools, "plimsoll report", () => {
  let stage: PageStage;
  let run: RunView;
  let hostileRun: RunView;
  beforeAll(async () => {
    stage = await startPageStage();
    const script = fileURLToPath(new URL("../support/hostile-script.js", import.meta.url));
    [{ run }, { run: hostileRun }] = await Promise.all([
      stage.ranK6({ name: "checkout", duration: "6s", flow: "k6 run --out cloud" }),
      stage.ranK6({ name: hostile, script, scriptEnv: { HOSTILE: hostile } }),
    ]);
    await stage.server.ask("PATCH", `/runs/${hostileRun.id}`, { note: hostile });
    // The stores have it all.
    const tables = async (): Promise<number> => {
      const { endpoints } = await asJson<RunTables>(`/runs/${run.id}/tables`);
      return endpoints.reduce((sum, { count }) => sum + count, 0);
    };
    await vi.waitFor(async () => expect(await tables()).toBe(requestsIn(run)), { timeout: 20_000 });
  });
  afterAll(async () => await stage?.[Symbol.asyncDispose]());
  afterEach(async () => await stage.browser.expectQuiet());

  it("is one file that opens from disk without a network, and says what the API says", async () => {
    const file = await written(run, "run.html");
    const { page, asked } = await opened(file, { scheme: "dark" });
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("checkout");
    const shown = new RunPage(page);
    expect(await shown.value("requests")).toBe(requestsIn(run));
    expect(await shown.value("p95")).toBe(summaryOf(run, "http_req_duration", "p95"));
    const facts = (
      await page.getByRole("banner").or(page.locator("header")).allTextContents()
    ).join();
    for (const said of [`Run ${run.id}`, run.testid, stage.server.url, "Europe/Berlin", "made"]) {
      expect(facts).toContain(said);
    }
    const data = await dataOf(file);
    expect(data.charts).toEqual({
      run: await asJson<ChartSet>(`/runs/${run.id}/charts?set=run&points=600`),
      server: await asJson<ChartSet>(`/runs/${run.id}/charts?set=server&points=600`),
      tables: await asJson<RunTables>(`/runs/${run.id}/tables`),
    });
    expect(data.log).toHaveLength(run.logLines);
    const charts = data.charts?.run.charts.filter(({ series }) => series.length > 0) ?? [];
    expect(charts.length).toBeGreaterThan(2);
    expect(await page.locator("figure.chart canvas").count()).toBeGreaterThanOrEqual(charts.length);
    expect(await findAccessProblems(page)).toEqual([]);
    expect(asked).toEqual([pathToFileURL(file).href]);
    expect((await stat(file)).size).toBeLessThan(600_000);
  });

  it("shows every chart on paper, also those that nobody has scrolled to", async () => {
    const { page } = await opened(await written(run, "paper.html"));
    await page.emulateMedia({ media: "print" });
    const isBlank = `(canvas) => !new Uint32Array(
      canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer
    ).some((pixel) => pixel !== 0)`;
    const blank = `[...document.querySelectorAll("figure.chart canvas")].filter(${isBlank}).length`;
    await expect.poll(async () => await page.evaluate(blank)).toBe(0);
    const wide = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;
    await page.setViewportSize({ width: 700, height: 900 });
    expect(await page.evaluate(wide)).toBe(0);
  });

  it.each([1280, 400])(
    "changes nothing but a cell for hostile texts, %i pixels wide",
    async (width) => {
      const { page } = await opened(await written(hostileRun, `hostile-${width}.html`), { width });
      const main = page.getByRole("main");
      expect(await main.textContent()).toContain("<script>");
      const made = `document.querySelectorAll("main script, img[src='x'], main b").length`;
      expect(await page.evaluate(made)).toBe(0);
      const wide = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;
      expect(await page.evaluate(wide)).toBe(0);
      expect(await page.evaluate("document.querySelectorAll('script').length")).toBe(2);
    },
  );

  it("is the same of the store of this machine, with the Prometheus of the options", async () => {
    const file = join(stage.folder, "own.html");
    const { exitCode, stderr } = await runPlimsoll(
      ["report", String(run.id), "-o", file, "--remote-write-url", stage.prometheus.writeUrl],
      { folder: stage.server.folder },
    );
    expect(exitCode, stderr).toBe(0);
    const [own, ofServer] = await Promise.all(
      [file, await written(run, "server.html")].map(dataOf),
    );
    expect(own).toEqual({ ...ofServer, made: own?.made, source: own?.source });
  });

  it("writes over nothing unless it is told to, and to standard output", async () => {
    const file = join(stage.folder, "precious.html");
    await writeFile(file, "precious");
    const refused = await report([String(run.id), "-o", file]);
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toContain("--force");
    expect(await readFile(file, "utf8")).toBe("precious");
    expect(await report([run.testid, "-o", file, "--force"])).toMatchObject({ exitCode: 0 });
    const printed = await report([String(run.id), "-o", "-"]);
    expect(printed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(printed.stdout).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
    const missing = await report(["4711", "-o", join(stage.folder, "none.html")]);
    expect(missing).toMatchObject({ exitCode: 2 });
    expect(missing.stderr).toContain("there is no run");
  });

  it("says that a run goes on", async () => {
    const k6 = await stage.k6({ name: "goes on", duration: "60s", flow: "k6 run --out cloud" });
    const going = await stage.server.waitForRun(await k6.runId, ({ started }) => started !== null);
    const { page } = await opened(await written(going, "going.html"));
    await page.getByText("The run was going on when this report was made.").waitFor();
    k6.kill("SIGINT");
    await k6.result;
  });

  it("has what the record has where the store is away, and says so", async () => {
    await stage.wayToStore.refuse();
    const file = join(stage.folder, "away.html");
    const { exitCode, stderr } = await report([String(run.id), "-o", file]);
    await stage.wayToStore.comeBack();
    expect(exitCode).toBe(4);
    expect(stderr).toContain("without charts and tables");
    const { page } = await opened(file);
    await page.getByText("Charts and tables are missing.").waitFor();
    expect(await new RunPage(page).value("requests")).toBe(requestsIn(run));
    expect(await page.locator("figure.chart").count()).toBe(0);
  });

  async function asJson<Answer>(path: string): Promise<Answer> {
    return (await (await stage.server.ask("GET", path)).json()) as Answer;
  }

  async function report(args: readonly string[]): Promise<PlimsollResult> {
    const { url, adminToken } = stage.server;
    return await runPlimsoll(["report", ...args, "--server", url, "--token", adminToken], {
      folder: stage.folder,
    });
  }

  /** @returns the path of a report that was written with no complaint */
  async function written({ id }: RunView, name: string): Promise<string> {
    const file = join(stage.folder, name);
    const { exitCode, stderr } = await report([String(id), "-o", file]);
    expect(exitCode, stderr).toBe(0);
    return file;
  }

  /** The page, and all that it has asked for. */
  async function opened(
    file: string,
    options: PageOptions = {},
  ): Promise<{ readonly page: Page; readonly asked: readonly string[] }> {
    const { href, origin } = pathToFileURL(file);
    const page = await stage.browser.open(origin, options);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.context().setOffline(true);
    await page.goto(href);
    await page.getByRole("heading", { level: 1 }).waitFor();
    return { page, asked };
  }
});

async function dataOf(file: string): Promise<ReportData> {
  const html = await readFile(file, "utf8");
  const [, data = ""] = /id="report-data">([^<]*)</.exec(html) ?? [];
  return JSON.parse(data) as ReportData;
}

function summaryOf({ summary }: RunView, metric: string, stat: string): number {
  return summary.find((row) => row.metric === metric && row.stat === stat)?.value ?? NaN;
}

function requestsIn(run: RunView): number {
  return summaryOf(run, "http_reqs", "count");
}

/**
 * Photographs every page and state of real runs: docs/img/page-STATE-WIDTH-SCHEME.png.
 *
 * In:  SCREENS: beginnings of the states' names, separated by commas; none: all.
 */
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { type PageOptions, signIn } from "../support/browser.ts";
import { cloudScript } from "../support/cloud-k6.ts";
import { type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
import { systemSeries } from "../support/system-series.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { writeSeries } from "../support/write-series.ts";

const folder = fileURLToPath(new URL("../../docs/img/", import.meta.url));
const example = fileURLToPath(new URL("../../examples/checkout.js", import.meta.url));
/** Pages show where scripts are: not on this machine. */
const scriptFolder = "/tmp/load-tests";
const script = `${scriptFolder}/checkout.js`;
const smokeScript = `${scriptFolder}/smoke.js`;
const wanted = (process.env["SCREENS"] ?? "").split(",").filter((name) => name !== "");

const looks = ([1280, 400] as const).flatMap((width) =>
  (["light", "dark"] as const).map((scheme) => ({ width, scheme })),
);

interface Screen {
  readonly state: string;
  readonly path: string;
  /** Default: admin; null: nobody is signed in. */
  readonly role?: null;
  /** Default: what a window shows; of `whole` only where it is wide and light, because the files are large. */
  readonly shows?: "whole" | "dialog";
  /** Brings the page into its state. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

it("photographs every page and state", { timeout: 1_800_000 }, async () => {
  await using stage = await startPageStage({ flags: ["--run-timeout", "20s"] });
  await copyScripts();
  const take = async (screens: readonly Screen[]): Promise<void> => {
    for (const screen of screens) await photograph(stage, screen);
  };
  await take([
    { state: "runs-none", path: "/runs" },
    { state: "sign-in", path: "/sign-in", role: null },
    { state: "sign-in-refused", path: "/sign-in", role: null, prepare: signInWrongly },
  ]);

  const created = await stage.server.ask("POST", "/runs", {
    test: "nightly",
    expectedSeconds: 600,
  });
  const { run: waiting }: { readonly run: RunView } = JSON.parse(await created.text());
  // Before the server gives it up.
  await take([{ state: "run-waiting", path: `/runs/${waiting.id}` }]);

  const [base, run, heavier] = [
    await shopRun(stage, 15),
    await shopRun(stage, 15),
    await shopRun(stage, 40),
  ];
  const ends = ["throws", "aborts on a threshold", "calls test.abort()"];
  const ended = await Promise.all(
    ends.map(
      async (end) => (await stage.ranK6({ name: "smoke", script: smokeScript, ends: end })).run,
    ),
  );
  const silent = await killedRun(stage);
  await stage.server.ask("PATCH", `/runs/${run.id}`, {
    note: "Pool raised to 20 connections: the p95 of the checkout is what it was in June.",
    starred: true,
  });
  const live = await stage.k6({ name: "checkout", script, duration: "30m" });
  const liveId = await live.runId;
  await stage.server.waitForRun(liveId, ({ state }) => state === "running");

  const compared = `/compare?base=${base.id}&run=${run.id}`;
  await take([
    { state: "run-live", path: `/runs/${liveId}`, prepare: seeRequests(1_000) },
    {
      state: "run-stop",
      path: `/runs/${liveId}`,
      shows: "dialog",
      prepare: press("Stop run", seeRequests(1)),
    },
    { state: "runs", path: "/runs" },
    { state: "runs-selected", path: "/runs", prepare: (page) => select(page, base, run) },
    { state: "runs-found", path: "/runs?search=smoke" },
    { state: "runs-nothing-found", path: "/runs?search=nothing-like-this" },
    { state: "run", path: `/runs/${run.id}`, shows: "whole", prepare: seeRequests(1) },
    { state: "run-thresholds-crossed", path: `/runs/${ended[1]?.id}`, prepare: seeRequests(1) },
    { state: "run-script-error", path: `/runs/${ended[0]?.id}`, prepare: seeRequests(1) },
    { state: "run-stopped", path: `/runs/${ended[2]?.id}`, prepare: seeRequests(1) },
    { state: "run-timed-out", path: `/runs/${silent.id}`, prepare: seeRequests(1) },
    { state: "run-share", path: `/runs/${run.id}`, shows: "dialog", prepare: share },
    {
      state: "run-delete",
      path: `/runs/${run.id}`,
      shows: "dialog",
      prepare: press("Delete run", seeRequests(1)),
    },
    { state: "run-unknown", path: "/runs/987654" },
    { state: "compare", path: compared, shows: "whole", prepare: seeCharts },
    {
      state: "compare-not-comparable",
      path: `/compare?base=${base.id}&run=${heavier.id}`,
      prepare: seeCharts,
    },
    { state: "compare-choose", path: "/compare" },
    { state: "no-such-page", path: "/nowhere" },
  ]);
  await photographLostConnection(stage, liveId);
  await stage.wayToStore.refuse();
  await take([
    { state: "run-store-away", path: `/runs/${run.id}`, prepare: saysStore },
    { state: "run-live-store-away", path: `/runs/${liveId}`, prepare: saysStore },
    { state: "compare-store-away", path: compared, prepare: saysStore },
  ]);
  await stage.wayToStore.comeBack();
});

async function copyScripts(): Promise<void> {
  // Not recursive: one that is there is somebody else's.
  await mkdir(scriptFolder);
  onTestFinished(async () => await rm(scriptFolder, { recursive: true }));
  await copyFile(example, script);
  await copyFile(cloudScript, smokeScript);
}

async function photograph(stage: PageStage, screen: Screen): Promise<void> {
  const { state, path, role = "admin", shows, prepare } = screen;
  if (!isWanted(state)) return;
  for (const look of looks) {
    const page = await stage.open(path, { ...look, role, expected: [/./] });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await prepare?.(page);
    await settle(page);
    await save(page, state, look, shows);
    await page.close();
  }
}

/** Cut off while it is looked at. */
async function photographLostConnection(stage: PageStage, id: number): Promise<void> {
  const state = "run-connection-lost";
  if (!isWanted(state)) return;
  for (const look of looks) {
    await using way = await startTcpProxy(() => stage.server.url);
    const page = await stage.browser.open(way.url, { ...look, expected: [/./] });
    await signIn(page, way.url, stage.tokens.read);
    await page.goto(`/runs/${id}`);
    await seeRequests(1)(page);
    await way.refuse();
    await page
      .getByText(/connection/i)
      .first()
      .waitFor();
    await save(page, state, look);
    await page.close();
  }
}

async function save(
  page: Page,
  state: string,
  { width, scheme }: Pick<PageOptions, "width" | "scheme">,
  shows?: Screen["shows"],
): Promise<void> {
  const file = `${folder}page-${state}-${width}-${scheme}.png`;
  if (shows === "dialog") await page.getByRole("dialog").screenshot({ path: file });
  else {
    const fullPage = shows === "whole" && width === 1280 && scheme === "light";
    await page.screenshot({ path: file, fullPage, animations: "disabled" });
  }
  const palette = ["--force", "--ext", ".png", "--speed", "1", "--strip", "64", "--", file];
  execFileSync("pngquant", palette, { stdio: "inherit" });
  expect(file).toContain(state);
}

function isWanted(state: string): boolean {
  return wanted.length === 0 || wanted.some((name) => state.startsWith(name));
}

const twoFrames =
  "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))";

/** Charts below the window are drawn when they are seen. */
async function settle(page: Page): Promise<void> {
  const height: number = await page.evaluate("document.documentElement.scrollHeight");
  for (let top = 0; top < height; top += 700) {
    await page.mouse.wheel(0, 700);
    await page.evaluate(twoFrames);
  }
  await page.evaluate("scrollTo(0, 0)");
  await expect.poll(async () => await page.evaluate("scrollY")).toBe(0);
  // What was out of sight is painted again.
  await page.evaluate(twoFrames);
}

/** A run of the example shop, with what its exporters would have said. */
async function shopRun(stage: PageStage, buyersPerSecond: number): Promise<RunView> {
  const scriptEnv = { BUYERS_PER_SECOND: String(buyersPerSecond) };
  const options = { name: "checkout", script, scriptEnv, duration: "20s" };
  const { run } = await stage.ranK6(options);
  const [fromMs, toMs] = [run.started, run.ended].map((time) => Date.parse(time ?? ""));
  await writeSeries(stage.prometheus.writeUrl, systemSeries(fromMs ?? NaN, toMs ?? NaN));
  return run;
}

async function killedRun(stage: PageStage): Promise<RunView> {
  const k6 = await stage.k6({ name: "soak", script: smokeScript, duration: "30m" });
  const id = await k6.runId;
  await stage.server.waitForRun(id, ({ state }) => state === "running");
  k6.kill("SIGKILL");
  return await stage.server.waitForRun(id, ({ ended }) => ended !== null);
}

function press(
  name: string,
  before: (page: Page) => Promise<unknown>,
): (page: Page) => Promise<void> {
  return async (page) => {
    await before(page);
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByRole("dialog").waitFor();
  };
}

async function share(page: Page): Promise<void> {
  await press("Share", seeRequests(1))(page);
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("textbox", { name: /link/i }).waitFor();
}

async function signInWrongly(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: "Token" }).fill("plm_of_another_server");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(/not known/).waitFor();
}

async function select(page: Page, ...runs: readonly RunView[]): Promise<void> {
  for (const { id } of runs) await page.getByRole("checkbox", { name: `Select run ${id}` }).check();
}

function seeRequests(least: number): (page: Page) => Promise<unknown> {
  return async (page) => {
    const run = new RunPage(page);
    const value = async (): Promise<number> => await run.value("requests");
    await expect.poll(value, { timeout: 60_000 }).toBeGreaterThanOrEqual(least);
    await seeCharts(page);
  };
}

async function seeCharts(page: Page): Promise<unknown> {
  return await page.locator("canvas").first().waitFor();
}

async function saysStore(page: Page): Promise<void> {
  await page
    .getByText(/could not be (asked|compared)/)
    .first()
    .waitFor();
}

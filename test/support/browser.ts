/**
 * A headless Chromium for the tests of the page, and pages of it that notice what no page of ours may do: an error on the
 * console, a violation of the content security policy, a request to anywhere else, a dialog of the browser's own.
 *
 * What goes on inside a page is said as text, because these files are type-checked without the browser's own types.
 */
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

export interface PageOptions {
  /** Width of the window in pixels. Default 1280. */
  readonly width?: number;
  /** What the system is set to. Default: light. */
  readonly scheme?: "light" | "dark";
  /** Of the requests that the page may make: answers of 400 and more that the test is about, and failed requests. */
  readonly expected?: readonly RegExp[];
  /** Pages of one context share cookies. Default: a context of its own. */
  readonly beside?: Page;
}

export interface PageBrowser extends AsyncDisposable {
  readonly chromium: Browser;
  /** @param origin Where all that it loads comes from, e.g. `http://127.0.0.1:6460`. */
  open(origin: string, options?: PageOptions): Promise<Page>;
  /** Fails with what pages have done since that they may not, and forgets it. Closes them. */
  expectQuiet(): Promise<void>;
}

/** As root no sandbox; nothing that asks its maker for anything. */
const chromiumFlags: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--font-render-hinting=none",
];

/** What a script of somebody else's calls, if one ever runs in a page. */
export const sentinel = "plimsollWasScripted";

/** Before any script of the page: says on the console what is to be noticed. */
const watch = `
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error("policy violated: " + event.violatedDirective + " " + event.blockedURI);
  });
  globalThis.${sentinel} = (what) => console.error("a script ran: " + what);
`;

/** A page that does not show what is waited for within this is wrong. */
const patienceMs = 10_000;

export async function startBrowser(executablePath: string): Promise<PageBrowser> {
  const browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
  const problems: string[] = [];
  return {
    chromium: browser,
    async open(origin, { width = 1280, scheme = "light", expected = [], beside } = {}) {
      const context =
        beside?.context() ??
        (await browser.newContext({
          baseURL: origin,
          viewport: { width, height: 900 },
          colorScheme: scheme,
          timezoneId: "Europe/Berlin",
          locale: "en-GB",
        }));
      if (beside === undefined) {
        context.setDefaultTimeout(patienceMs);
        await context.addInitScript(watch);
      }
      const page = await context.newPage();
      watchPage(page, origin, (problem) => {
        if (!expected.some((pattern) => pattern.test(problem))) problems.push(problem);
      });
      return page;
    },
    async expectQuiet() {
      await Promise.all(browser.contexts().map(async (context) => await context.close()));
      expect(problems.splice(0)).toEqual([]);
    },
    [Symbol.asyncDispose]: async () => await browser.close(),
  };
}

function watchPage(page: Page, origin: string, report: (problem: string) => void): void {
  page.on("console", (message) => {
    // Which answer it was is told below.
    if (message.type() !== "error" || message.text().startsWith("Failed to load resource")) return;
    report(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => report(`uncaught: ${error.message}`));
  page.on("dialog", (dialog) => {
    report(`dialog: ${dialog.message()}`);
    // It may be gone with its page.
    dialog.dismiss().catch(() => undefined);
  });
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && asked !== origin) {
      report(`asks elsewhere: ${request.url()}`);
    }
  });
  page.on("response", (response) => {
    if (response.status() < 400) return;
    report(`${response.status()}: ${response.request().method()} ${pathOf(response.url())}`);
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // What a page that is left has under way.
    if (reason !== "net::ERR_ABORTED") report(`${reason}: ${pathOf(request.url())}`);
  });
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** Signs in as the page does, without its form: the cookie is there afterwards. */
export async function signIn(page: Page, origin: string, token: string): Promise<void> {
  const answer = await page.context().request.post(`${origin}/api/v1/session`, {
    data: { token },
    headers: { Origin: origin },
  });
  expect(answer.status(), await answer.text()).toBeLessThan(300);
}

/** As much of axe's answer as is read. */
interface AxeResults {
  readonly passes: readonly unknown[];
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe finds on the page as it is, that is serious or critical: a line each. */
export async function findAccessProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(`globalThis.axe ?? (() => { ${axe.source} })()`);
  const results: AxeResults = await page.evaluate("axe.run(document)");
  // A look at nothing is no good sign.
  expect(results.passes.length).toBeGreaterThan(5);
  return results.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary}`),
    );
}

/** What is wider than the window scrolls within itself: the page does not. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const tooWide = `innerWidth >= document.documentElement.scrollWidth ? [] : [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.tagName + "." + one.className)
    .slice(0, 5)`;
  expect(await page.evaluate(tooWide), "wider than the window").toEqual([]);
}

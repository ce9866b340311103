/**
 * A run's page as a test looks at it: by role and name, and by the raw numbers of its figures.
 */
import type { Locator, Page } from "playwright-core";

export type FigureName =
  "requests" | "rps" | "p50" | "p95" | "p99" | "failed" | "vus" | "checks" | "elapsed";

type RunButton = "Stop run" | "Share" | "Delete run" | "Star";

export class RunPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole("heading", { level: 1 });
  }

  /** The state in words. */
  get state(): Locator {
    return this.page.getByRole("main").getByRole("status").first();
  }

  button(name: RunButton): Locator {
    // Not "From the start".
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Whether it is there, and does something. */
  async offers(name: RunButton): Promise<boolean> {
    const button = this.button(name);
    return (await button.count()) > 0 && (await button.isEnabled());
  }

  /** It is named as the button that opens it. */
  dialog(name: string): Locator {
    return this.page.getByRole("dialog", { name, exact: true });
  }

  /** All that stands below a heading; a table within it may have the same name. */
  section(name: string): Locator {
    return this.page.getByRole("region", { name, exact: true }).first();
  }

  figure(name: FigureName): Locator {
    return this.page.locator(`#figure-${name}`);
  }

  /** What a figure is, not as it is written: seconds, shares from 0 to 1. NaN where there is none. */
  async value(name: FigureName): Promise<number> {
    const value = await this.figure(name).getAttribute("value");
    return value === null || value === "" ? NaN : Number(value);
  }

  /** From here on the page writes down when its number of requests changes. */
  async rememberRequests(): Promise<void> {
    await this.page.evaluate(`(() => {
      const seen = (globalThis.seenRequests = []);
      const look = () => {
        const value = Number(document.querySelector("#figure-requests")?.getAttribute("value") ?? NaN);
        if (value > 0 && value !== seen.at(-1)?.value) seen.push({ atMs: Date.now(), value });
      };
      new MutationObserver(look).observe(document.body, {
        subtree: true, childList: true, attributes: true, characterData: true,
      });
    })()`);
  }

  /** Unix milliseconds. */
  async rememberedRequests(): Promise<
    readonly { readonly atMs: number; readonly value: number }[]
  > {
    return await this.page.evaluate("seenRequests");
  }
}

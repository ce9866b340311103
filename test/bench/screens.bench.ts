/**
 * Photographs every page and state into docs/img/page-STATE-WIDTH-SCHEME.png, of real runs.
 *
 * In:  SCREENS: beginnings of the states' names, separated by commas; none: all.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { signIn } from "../support/browser.ts";
import { type PageStage, startPageStage } from "../support/page-stage.ts";
import { RunPage } from "../support/run-page.ts";
import { systemSeries } from "../support/system-series.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { writeSeries } from "../support/write-series.ts";

const folder = fileURLToPath(new URL("../../docs/img/", import.meta.url));
const wanted = (process.env["SCREENS"] ?? "").split(",").filter((name) => name !== "");
const widths = [1280, 400];
const schemes = ["light", "dark"] as const;

interface Screen {
  readonly state: string;
  readonly path: string;
  /** Where it is not the server's own address. */
  readonly origin?: string;
  /** Default: admin; null: nobody is signed in. */
  readonly role?: "read" | null;
  /** All of it, not one window of it. Default false. */
  readonly isWhole?: boolean;
  /** Brings the page into its state. */
  readonly prepare?: (page: Page) => Promise<void>;
}

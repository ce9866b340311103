/**
 * Draws dashboards with Grafana's published libraries in headless Chromium against a real Prometheus, and says what
 * a person would see and what is wrong with it.
 *
 *   node tools/dashboard-audit/audit.mjs --prometheus URL [options] dashboards/*.json
 *
 * Out: a table per dashboard on stdout; exit code 1 where there are findings that `--expect` does not name.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { ensurePage } from "./build.mjs";
import { findingLines, printReport } from "./print.mjs";
import { servePage } from "./serve.mjs";

/** @import { DashboardReport } from "./page/report.ts" */

const { values: flags, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    prometheus: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    var: { type: "string", multiple: true, default: [] },
    expect: { type: "string", multiple: true, default: [] },
    theme: { type: "string", default: "dark" },
    width: { type: "string", default: "1600" },
    "scrape-interval": { type: "string", default: "15s" },
    screenshots: { type: "string" },
    json: { type: "string" },
    "timeout-ms": { type: "string", default: "60000" },
  },
});

const usage = `usage: audit.mjs --prometheus URL [option…] dashboard.json…

  --from TIME, --to TIME   Unix milliseconds or "now-1h"; default: the dashboard's own
  --var NAME=VALUE         for a variable; more than once for several values
  --expect TEXT            findings that contain it do not count; one that is not met does
  --theme dark|light       default dark
  --width PIXELS           default 1600
  --scrape-interval TIME   of the data source, for $__rate_interval; default 15s
  --screenshots FOLDER     a picture of each dashboard
  --json FILE              the whole report
  --timeout-ms N           for one dashboard; default 60000`;

/** Something that whoever runs this can mend. */
class UsageError extends Error {}

const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function chromiumPath() {
  const own = process.env["PLIMSOLL_TOOL_CHROMIUM"];
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  const found =
    own ??
    folders.flatMap((folder) => programs.map((name) => path.join(folder, name))).find(existsSync);
  if (found) return found;
  throw new UsageError(
    "no Chromium on PATH: install it (Debian: apt-get install --no-install-recommends chromium fonts-inter) " +
      "or put its path in PLIMSOLL_TOOL_CHROMIUM",
  );
}

async function main() {
  if (!flags.prometheus || files.length === 0) throw new UsageError(usage);
  const folder = await ensurePage();
  const server = await servePage({ folder, prometheus: flags.prometheus });
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--font-render-hinting=none",
    ],
  });
  /** @type {DashboardReport[]} */
  const reports = [];
  try {
    for (const file of files) {
      const started = performance.now();
      const report = await audit(browser, server.url, file);
      reports.push(report);
      printReport(report, (performance.now() - started) / 1000);
    }
  } finally {
    await browser.close();
    server.close();
  }
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(reports, undefined, 2)}\n`);
  judge(reports);
}

/**
 * Lists the findings. One that is expected does not count, and an expectation that nothing meets does.
 *
 * @param {readonly DashboardReport[]} reports
 */
function judge(reports) {
  const lines = reports.flatMap(findingLines);
  const findings = lines.filter((line) => !flags.expect.some((text) => line.includes(text)));
  const stale = flags.expect.filter((text) => !lines.some((line) => line.includes(text)));
  findings.push(
    ...stale.map((text) => `--expect ${JSON.stringify(text)}: nothing like it was found`),
  );
  const panels = reports.reduce((sum, report) => sum + report.panels.length, 0);
  console.log(`\n${reports.length} dashboards, ${panels} panels, ${findings.length} findings`);
  for (const line of findings) console.log(`  ${line}`);
  if (lines.length > 0)
    console.log(`  (and ${lines.length - findings.length + stale.length} expected)`);
  // A look at nothing is no good sign.
  if (findings.length > 0 || panels === 0) process.exitCode = 1;
}

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {string} file
 * @returns {Promise<DashboardReport>}
 */
async function audit(browser, url, file) {
  const dashboard = JSON.parse(readFileSync(file, "utf8"));
  const page = await browser.newPage({
    viewport: { width: Number(flags.width), height: heightOf(dashboard) },
  });
  /** @type {string[]} */
  const errors = [];
  page.on("console", (message) => {
    // Which answer it was that failed is told below.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) errors.push(message.text());
  });
  page.on("response", (response) => {
    // What Prometheus refuses is the panel's finding.
    const isQuery = response.url().includes("/prometheus/");
    if (response.status() >= 400 && !isQuery)
      errors.push(`HTTP ${response.status()} for ${response.url()}`);
  });
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  await page.goto(`${url}/?theme=${flags.theme}`);
  const job = {
    dashboard,
    variables: toVariables(flags.var),
    ...(flags.from && { from: flags.from }),
    ...(flags.to && { to: flags.to }),
    scrapeInterval: flags["scrape-interval"],
    timeoutMs: Number(flags["timeout-ms"]),
  };
  const report = await page.evaluate((job) => window.audit(job), job);
  if (flags.screenshots) {
    mkdirSync(flags.screenshots, { recursive: true });
    const name = `${path.basename(file, ".json")}-${flags.theme}.png`;
    await page.locator("#dashboard").screenshot({ path: path.join(flags.screenshots, name) });
  }
  await page.close();
  report.findings.push(
    ...[...new Set(errors)].map((message) => ({ kind: "console error", message })),
  );
  return report;
}

/**
 * Pixels that hold the whole dashboard with every row open: a screenshot that had to enlarge the page would catch its
 * panels while they measure themselves anew.
 *
 * @param {{ panels?: import("@grafana/schema").RowPanel[] }} dashboard
 */
function heightOf({ panels = [] }) {
  /** @param {readonly { gridPos?: { y: number, h: number } }[]} cells */
  const bottomOf = (cells) =>
    Math.max(0, ...cells.map(({ gridPos: { y, h } = { y: 0, h: 0 } }) => y + h));
  const rows = panels.map((row) =>
    row.panels?.length ? bottomOf(row.panels) - (row.gridPos?.y ?? 0) : 0,
  );
  return rows.reduce((sum, height) => sum + height, bottomOf(panels)) * 38 + 300;
}

/** @param {string[]} pairs */
function toVariables(pairs) {
  /** @type {Record<string, string[]>} */
  const variables = {};
  for (const pair of pairs) {
    const [name = "", ...rest] = pair.split("=");
    (variables[name] ??= []).push(rest.join("="));
  }
  return variables;
}

await main().catch((error) => {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 2;
});

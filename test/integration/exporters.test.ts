/**
 * The exporters of the stack really export what the dashboards ask for, and `test/golden/exporters/` says so.
 *
 * UPDATE_GOLDEN=1 writes the recordings of these exporters anew.
 */
import { existsSync } from "node:fs";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkDashboard } from "../../src/dashboards/check/check-dashboard.ts";
import { parseExposition, toRecording } from "../../src/dashboards/check/exposition.ts";
import { readCatalogue } from "../../src/dashboards/check/read-catalogue.ts";
import { startServerProcess } from "../support/child-process.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { startShop } from "../support/shop.ts";
import { createTemporaryFolder } from "../support/temporary-folder.ts";
import { describeWithTool } from "../support/tools.ts";

const golden = fileURLToPath(new URL("../golden/exporters", import.meta.url));
const dashboards = fileURLToPath(new URL("../../dashboards", import.meta.url));
const rules = fileURLToPath(new URL("../../provisioning/prometheus/rules", import.meta.url));

/** What is wrong with the dashboards where an exporter has what it shows here, and not what was recorded of it. */
async function findingsWith(name: string, what: string, exposition: string): Promise<string[]> {
  await using folder = await createTemporaryFolder();
  for (const file of await readdir(golden)) {
    if (file.endsWith(".txt")) await copyFile(join(golden, file), join(folder.path, file));
  }
  const recording = `# ${what}\n${toRecording(parseExposition(exposition))}`;
  await writeFile(join(folder.path, `${name}.txt`), recording);
  if (process.env["UPDATE_GOLDEN"] === "1") await writeFile(join(golden, `${name}.txt`), recording);
  const catalogue = await readCatalogue({ recordings: folder.path, rules });
  const findings: string[] = [];
  for (const file of await readdir(dashboards)) {
    const text = await readFile(join(dashboards, file), "utf8");
    const checked = checkDashboard(file, JSON.parse(text), catalogue);
    findings.push(...checked.findings.map(({ place, message }) => `${place}: ${message}`));
    expect(checked.counts.expressions).toBeGreaterThan(0);
  }
  return findings.filter((finding) => /: no (metric|label) /.test(finding));
}

async function scrape(url: string): Promise<string> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  return await answer.text();
}

/** Scrapes until a metric is there: some are made by what the exporter watches. */
async function scrapeUntil(url: string, metric: string): Promise<string> {
  const deadlineMs = Date.now() + 30_000;
  for (;;) {
    const exposition = await scrape(url);
    if (exposition.includes(`\n${metric}`)) return exposition;
    if (Date.now() > deadlineMs) throw new Error(`${url} has no ${metric} after 30 s`);
    await delay(100);
  }
}

describeWithTool("node-exporter", "node_exporter", (program) => {
  it("has what the dashboards ask for", async () => {
    await using exporter = await startServerProcess({
      program,
      args: (port) => [`--web.listen-address=127.0.0.1:${port}`],
      readyPath: "/metrics",
    });
    const what = "node_exporter 1.5.0 (Debian's package prometheus-node-exporter)";
    const missing = await findingsWith("node", what, await scrape(exporter.url));
    // A kernel may be built without it, and a container may hide it.
    const hasPressure = existsSync("/proc/pressure/cpu");
    expect(missing.filter((line) => hasPressure || !line.includes("node_pressure_"))).toEqual([]);
  });
});

describeWithPostgres("the shop on Postgres", (postgres) => {
  it("has what the dashboards ask for", async () => {
    await using shop = await startShop({ databaseUrl: postgres().url, flags: ["--faults"] });
    const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const headers = { "content-type": "application/json" };
      const options = { method: "POST", headers, body: JSON.stringify(body) };
      return JSON.parse(await (await fetch(shop.url + path, options)).text());
    };
    const { cartId } = await post("/cart", { productId: 1 });
    await post("/checkout", { cartId });
    const what = "examples/shop on Postgres, with its payments and its faults";
    const exposition = await scrapeUntil(shop.url, "http_client_request_duration_seconds_count");
    expect(await findingsWith("shop", what, exposition)).toEqual([]);
  });

  describeWithTool("postgres-exporter", "postgres_exporter", (program) => {
    it("has what the dashboards ask for", async () => {
      await using exporter = await startServerProcess({
        program,
        args: (port) => [`--web.listen-address=127.0.0.1:${port}`, "--collector.stat_statements"],
        env: { DATA_SOURCE_NAME: `${postgres().url}?sslmode=disable` },
        readyPath: "/metrics",
      });
      const what = "postgres_exporter 0.17.1 with --collector.stat_statements";
      const exposition = await scrapeUntil(exporter.url, "pg_stat_statements_calls_total");
      expect(await findingsWith("postgres", what, exposition)).toEqual([]);
    });
  });
});

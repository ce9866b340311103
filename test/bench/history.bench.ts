/**
 * How long each query of the dashboard History takes over a thousand runs of two years, and what a run takes on disk:
 * its own series, and with its seconds. Nothing fails on a figure.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { historyDashboard } from "../../src/dashboards/history.ts";
import {
  campaignCount,
  campaignEndMs,
  dayMs,
  pastRun,
  writeCampaign,
} from "../support/campaign.ts";
import { OpenDashboard } from "../support/dashboard-queries.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { encodeRun } from "../support/run-history.ts";
import { seeded } from "../support/k6-run.ts";
import { findTool } from "../support/tools.ts";
import { postRequest } from "../support/write-series.ts";

/** Each query; the median counts. */
const rounds = 5;
/** Runs whose size is measured, one an hour: ten minutes each, a request a second to each of twenty endpoints. */
const sizedRuns = 20;
const endpoints = 20;
const seconds = 600;

async function start(): Promise<Prometheus> {
  const program = findTool("prometheus-3");
  if (program === undefined)
    throw new Error("there is no Prometheus 3: node scripts/tools.mjs install prometheus-3");
  return await startPrometheus({
    program,
    config: "storage: { tsdb: { out_of_order_time_window: 3y } }\n",
    flags: ["--storage.tsdb.retention.time=3y", "--web.enable-admin-api"],
  });
}

it("asks every query", async () => {
  await using store = await start();
  await writeCampaign(store);
  const opened = await OpenDashboard.open(historyDashboard(), store, {
    fromMs: campaignEndMs - 730 * dayMs,
    toMs: campaignEndMs,
  });
  console.log(
    `${campaignCount} runs in two years, ${opened.queries.length} queries, each ${rounds} times`,
  );
  const medians: number[] = [];
  for (const query of opened.queries) {
    const elapsedMs: number[] = [];
    let series = 0;
    for (let round = 0; round < rounds; round++) {
      const startedMs = performance.now();
      series = await opened.count(query);
      elapsedMs.push(performance.now() - startedMs);
    }
    const median = elapsedMs.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
    medians.push(median);
    const name = `${query.panel}, ${query.refId}`.padEnd(48);
    console.log(`${name} ${median.toFixed(0).padStart(6)} ms  ${series} series`);
  }
  console.log(`slowest ${Math.max(...medians).toFixed(0)} ms (target < 1000 ms)`);
  expect(medians.length).toBeGreaterThan(0);
});

it.each([
  ["its own series", false],
  ["with its seconds", true],
])("measures what a run takes on disk: %s", async (what, withSeconds) => {
  await using store = await start();
  let points = 0;
  const random = seeded(7);
  // Log-normal, as latencies are.
  const spread = () => Math.exp(random() + random() + random() - 1.5);
  for (let index = 0; index < sizedRuns; index++) {
    const startMs = campaignEndMs - (sizedRuns - index) * 3_600_000;
    const run = { ...pastRun(index), startMs, seconds, endpoints, spread };
    for (const { body, samples, histograms } of encodeRun(run, withSeconds)) {
      points += samples + histograms;
      await postRequest(store.writeUrl, body);
    }
  }
  // The head as one block: what is left when Prometheus has merged its small blocks.
  const answer = await fetch(`${store.url}/api/v1/admin/tsdb/snapshot`, { method: "POST" });
  const { data }: { data: { name: string } } = JSON.parse(await answer.text());
  const bytes = sizeOf(join(store.dataFolder, "snapshots", data.name));
  console.log(
    `a run of ${seconds} s, ${endpoints} endpoints, ${what}: ${(bytes / sizedRuns / 1_000).toFixed(1)} kB, ` +
      `${(points / sizedRuns).toFixed(0)} points, ${(bytes / points).toFixed(1)} bytes each (${sizedRuns} runs)`,
  );
  expect(bytes).toBeGreaterThan(0);
});

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/**
 * A campaign of a thousand runs in two years, of which it is known what History must show: slower from the middle on,
 * one run that is the best and one that is the worst, a release every hundred runs.
 */
import type { MetricsStore } from "./prometheus.ts";
import { encodeRun, type PastRun, resourceSeries } from "./run-history.ts";
import { postRequest, writeSeries } from "./write-series.ts";

export const dayMs: number = 24 * 3_600_000;
/** Runs. */
export const campaignCount = 1_000;
/** The end of the two years, Unix milliseconds. */
export const campaignEndMs: number = Math.floor(Date.now() / 60_000) * 60_000;
/** From one run to the next. */
export const campaignEveryMs: number = (728 * dayMs) / campaignCount;
/** From this run on, requests take half as long again. */
export const slowerFrom = 500;
export const runsPerVersion = 100;
export const bestRun = 123;
export const worstRun = 777;

/** How long each request of a run took. */
export function durationMs(index: number): number {
  if (index === bestRun) return 50;
  if (index === worstRun) return 400;
  // No two runs are alike.
  return (index < slowerFrom ? 100 : 150) * (1 + 0.02 * Math.sin(index));
}

export function pastRun(index: number): PastRun {
  return {
    testid: `campaign-${String(index).padStart(4, "0")}`,
    test: "campaign",
    startMs: Math.floor(campaignEndMs - 729 * dayMs + index * campaignEveryMs),
    seconds: 60,
    durationMs: durationMs(index),
    vus: 10,
    tags: { version: `1.${Math.floor(index / runsPerVersion)}`, commit: `c${index}` },
  };
}

/** What is left of the campaign when its seconds are gone, and what the recording rule made of it. */
export async function writeCampaign({ writeUrl }: MetricsStore): Promise<void> {
  for (let index = 0; index < campaignCount; index++) {
    const run = pastRun(index);
    for (const { body } of encodeRun(run, false)) await postRequest(writeUrl, body);
    await writeSeries(writeUrl, resourceSeries(run, 0.8));
  }
}

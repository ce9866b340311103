/**
 * How often each metric of a run was measured, as counted by three that do not know of each other: k6's own summary, the
 * store, and the server's record of the run. A rate has two counts: `checks{nonzero}`, `checks{zero}`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import type { QueryApi } from "./query-api.ts";

export type Counts = Readonly<Record<string, number>>;

/** What `--summary-export` has of a metric, with `--summary-trend-stats count`; a gauge has none of these. */
export interface ExportedMetric {
  /** Of a counter and of a trend. */
  readonly count?: number;
  /** Of a counter. */
  readonly rate?: number;
  readonly passes?: number;
  readonly fails?: number;
}

export interface RunCounts {
  readonly k6: Counts;
  readonly server: Counts;
  readonly store: Counts;
  /** How often a total in the store went back. */
  readonly resets: number;
}

/** What lies in a spool is sent behind the end. */
const patienceMs = 30_000;

/** Waits until the store has what k6 counted; where that does not happen, gives what it has. */
export async function countRun(
  store: QueryApi,
  run: Pick<RunView, "testid" | "summary">,
  k6: K6Summary,
): Promise<RunCounts> {
  const deadlineMs = Date.now() + patienceMs;
  let stored = await k6.storedIn(store, run);
  while (!isDeepStrictEqual(stored, k6.counts) && Date.now() < deadlineMs) {
    await delay(200);
    stored = await k6.storedIn(store, run);
  }
  const resets = await k6.resetsIn(store, run);
  return { k6: k6.counts, server: countsOf(run), store: stored, resets };
}

/** @param output What is said where they differ. */
export function expectExact({ k6, server, store, resets }: RunCounts, output: string): void {
  expect(k6["http_reqs"], output).toBeGreaterThan(0);
  expect(Object.keys(k6).length).toBeGreaterThan(10);
  expect(server, output).toEqual(k6);
  expect(store, output).toEqual(k6);
  expect(resets).toBe(0);
}

type Kind = "counter" | "rate" | "trend";

export class K6Summary {
  readonly counts: Counts;
  readonly #kinds = new Map<string, Kind>();

  constructor(metrics: Readonly<Record<string, ExportedMetric>>) {
    const counts: Record<string, number> = {};
    for (const name of Object.keys(metrics).sort()) {
      const { count, rate, passes, fails } = metrics[name] ?? {};
      // A part of another metric.
      if (name.includes("{")) continue;
      if (passes !== undefined && fails !== undefined) {
        this.#kinds.set(name, "rate");
        counts[`${name}{nonzero}`] = passes;
        counts[`${name}{zero}`] = fails;
      } else if (count !== undefined) {
        this.#kinds.set(name, rate === undefined ? "trend" : "counter");
        counts[name] = count;
      }
    }
    this.counts = counts;
  }

  /** The same of a store. All trends are times. */
  async storedIn(store: QueryApi, { testid }: Pick<RunView, "testid">): Promise<Counts> {
    const counts: Record<string, number> = {};
    const sum = async (series: string): Promise<number> => {
      // The series have ended.
      const ask = `sum(last_over_time(${series}[1h]))`;
      const isTrend = series.includes("_seconds{");
      const [result] = await store.query(isTrend ? `histogram_count(${ask})` : ask);
      return result?.value ?? 0;
    };
    for (const [name, kind] of this.#kinds) {
      if (kind === "rate") {
        for (const condition of ["nonzero", "zero"]) {
          const series = `k6_${name}_total{testid="${testid}",condition="${condition}"}`;
          counts[`${name}{${condition}}`] = await sum(series);
        }
      } else {
        counts[name] = await sum(`${seriesOf(name, kind)}{testid="${testid}"}`);
      }
    }
    return counts;
  }

  /** How often a total in the store went back, of all series. */
  async resetsIn(store: QueryApi, { testid }: Pick<RunView, "testid">): Promise<number> {
    let resets = 0;
    for (const [name, kind] of this.#kinds) {
      const series = `${seriesOf(name, kind)}{testid="${testid}"}[1h]`;
      const [result] = await store.query(`sum(resets(${series}))`);
      resets += result?.value ?? NaN;
    }
    return resets;
  }
}

/** The same of the server's record. */
function countsOf({ summary }: Pick<RunView, "summary">): Counts {
  const counts: Record<string, number> = {};
  for (const { metric, stat, value } of summary) {
    if (stat === "count") counts[metric] = value;
    if (stat === "nonzero" || stat === "zero") counts[`${metric}{${stat}}`] = value;
  }
  return counts;
}

function seriesOf(name: string, kind: Kind): string {
  return `k6_${name}_${kind === "trend" ? "seconds" : "total"}`;
}

/**
 * The figures at the top of a run's page. Pure.
 *
 * While the run goes on they come from the tables, which the store sums up exactly, and from the newest second of the charts; after
 * the end from the summary in the run's record, which is there for years, also without a store.
 */
import type { ChartSet, RunTables } from "../../charts/chart-data.ts";
import type { RunView } from "../../server/api/run-view.ts";
import type { LiveCharts } from "./live-run.ts";

export interface Figures {
  readonly requests: number | null;
  /** While the run goes on, of its newest second; afterwards of all of it. */
  readonly perSecond: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly failedRatio: number | null;
  /** Running now; after the end, the most there were. */
  readonly vus: number | null;
  /** Share of checks that passed. */
  readonly checksRatio: number | null;
}

export interface FigureSources {
  readonly run: Pick<RunView, "summary" | "maxVus" | "started" | "ended">;
  readonly tables: RunTables | undefined;
  readonly charts: Pick<LiveCharts | ChartSet, "charts">;
}

export function headlineFigures({ run, tables, charts }: FigureSources): Figures {
  const { summary } = run;
  return summary.length > 0 ? figuresOfSummary(run) : figuresOfStore(tables, charts);
}

function figuresOfSummary({ summary, maxVus, started, ended }: FigureSources["run"]): Figures {
  const of = (metric: string, stat: string): number | null =>
    summary.find((row) => row.metric === metric && row.stat === stat)?.value ?? null;
  const requests = of("http_reqs", "count");
  const seconds =
    started === null || ended === null ? 0 : (Date.parse(ended) - Date.parse(started)) / 1_000;
  return {
    requests,
    perSecond: requests === null || seconds <= 0 ? null : requests / seconds,
    p50: of("http_req_duration", "med"),
    p95: of("http_req_duration", "p95"),
    p99: of("http_req_duration", "p99"),
    failedRatio: of("http_req_failed", "rate"),
    vus: of("vus", "max") ?? maxVus,
    checksRatio: of("checks", "rate"),
  };
}

function figuresOfStore(
  tables: RunTables | undefined,
  { charts }: FigureSources["charts"],
): Figures {
  const newest = (id: string, name: string): number | null =>
    charts
      .find((chart) => chart.id === id)
      ?.series.find((series) => series.name === name)
      ?.values.findLast((value) => value !== null) ?? null;
  const percentile = (percent: number): number | null =>
    tables?.ladder.find((rung) => rung.percent === percent)?.seconds ?? null;
  const endpoints = tables?.endpoints ?? [];
  const requests = sum(endpoints.map(({ count }) => count));
  const failed = sum(endpoints.map(({ count, failedRatio }) => count * (failedRatio ?? 0)));
  const passes = sum(tables?.checks.map((check) => check.passes) ?? []);
  const fails = sum(tables?.checks.map((check) => check.fails) ?? []);
  return {
    requests: tables ? requests : null,
    perSecond: newest("requests", "done"),
    p50: percentile(50),
    p95: percentile(95),
    p99: percentile(99),
    failedRatio: requests > 0 ? failed / requests : null,
    vus: newest("vus", "running"),
    checksRatio: passes + fails > 0 ? passes / (passes + fails) : null,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

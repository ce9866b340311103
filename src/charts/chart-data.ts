/**
 * What charts and tables of a run hold, as programs get it; the page and the report draw nothing else.
 *
 * Times are Unix seconds, durations seconds, shares 0 to 1. What a moment has no value for is null, never 0.
 */

export type Unit = "count" | "per_second" | "seconds" | "ratio" | "bytes" | "bytes_per_second";

export interface ChartSeries {
  readonly name: string;
  /** One for each of the set's times. */
  readonly values: readonly (number | null)[];
}

export interface Chart {
  /** Stays the same for as long as Plimsoll lives, e.g. `latency`. */
  readonly id: string;
  readonly title: string;
  /** What it shows, and what to do if it looks bad: a sentence or two. */
  readonly description: string;
  readonly unit: Unit;
  /** Those that have no value at all are left out; an empty list is said in words. */
  readonly series: readonly ChartSeries[];
}

/** `run`: what the generators measured; `server`: the system under test at the same time. */
export type ChartSetName = "run" | "server";

export interface ChartSet {
  readonly set: ChartSetName;
  /** Seconds between two times. The value at t is that of the time from t - step to t. */
  readonly step: number;
  /** Multiples of `step`, ascending, without a hole. */
  readonly times: readonly number[];
  /** In the order in which they are shown. */
  readonly charts: readonly Chart[];
  /** Titles of charts for which the store has nothing, e.g. because no exporter is scraped. */
  readonly missing: readonly string[];
}

/** Of requests, groups, scenarios: a row that stands for all of one name. */
export interface TrendRow {
  readonly name: string;
  readonly count: number;
  /** Of the whole run. */
  readonly perSecond: number;
  /** Null where nothing can fail. */
  readonly failedRatio: number | null;
  readonly avg: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Seconds that all of them took together: where the time goes. */
  readonly totalSeconds: number | null;
}

export interface RunTables {
  /** Requests by `name`; the same names as in the chart `endpoints`. */
  readonly endpoints: readonly TrendRow[];
  /** Iterations by scenario. */
  readonly scenarios: readonly TrendRow[];
  readonly groups: readonly TrendRow[];
  readonly checks: readonly {
    readonly name: string;
    readonly passes: number;
    readonly fails: number;
  }[];
  readonly errors: readonly {
    readonly name: string;
    readonly status: string;
    readonly errorCode: string;
    readonly count: number;
  }[];
  /** Of all requests together: `p50` … `p99.9`, and what else the store knows of them. */
  readonly ladder: readonly { readonly percent: number; readonly seconds: number | null }[];
}

/** The store could not be asked; what else there is of the run is there all the same. */
export interface StoreProblem {
  /** In words, without credentials: what failed and what to look at. */
  readonly message: string;
}

/**
 * PromQL for one value per run of `$test`, and what every chart and table of runs has of them: names, times, links.
 */
import type { Query } from "./panel.ts";

/** Runs in a band. */
export const bandRuns = 20;
export const ofTest = 'test="$test"';

/** The runs that are shown, with what is known about them. */
export const info: string = `last_over_time(plimsoll_run_info{${ofTest}, \${filter:raw}}[$__range])`;

/** The last value of each run of those shown. Over the whole range: a run's few points are anywhere in it. */
function perRun(series: string, matchers: string = ""): string {
  const all = matchers === "" ? ofTest : `${ofTest}, ${matchers}`;
  return `(max by (testid) (last_over_time(${series}{${all}}[$__range])) and on (testid) ${info})`;
}

function summary(metric: string, statName: string): string {
  return perRun("plimsoll_run_summary", `metric="${metric}", stat="${statName}"`);
}

export const start: string = perRun("plimsoll_run_start_time_seconds");
export const end: string = perRun("plimsoll_run_end_time_seconds");
export const p95: string = summary("http_req_duration", "p95");
export const p99: string = summary("http_req_duration", "p99");
export const failed: string = summary("http_req_failed", "rate");
export const throughput: string = `${summary("http_reqs", "count")} / (${end} - ${start})`;
export const vus: string = summary("vus", "max");
/** The newest runs, as many as are in a band. */
export const lastRuns: string = `topk(${bandRuns}, ${start})`;

/** The columns in which every table and chart of runs has a run's name and times, and the queries for them. */
export const startQuery: Query & { readonly refId: string } = {
  refId: "start",
  expr: `${start} * 1000`,
  legend: "Started",
  rows: true,
  instant: true,
};
export const timeQueries: readonly (typeof startQuery)[] = [
  startQuery,
  { ...startQuery, refId: "end", expr: `${end} * 1000`, legend: "Ended" },
];
export const timeColumns: Readonly<Record<string, string>> = {
  testid: "Run",
  "Value #start": "Started",
  "Value #end": "Ended",
};

interface Link {
  readonly title: string;
  readonly url: string;
}

/** A link from what has the columns of a run. */
function link(title: string, path: string): Link {
  return { title, url: `/d/${path}&\${datasource:queryparam}` };
}

const runTime = "from=${__data.fields.Started.numeric}&to=${__data.fields.Ended.numeric}";
export const links: readonly Link[] = [
  link(
    "Open the run",
    `plimsoll-run?\${test:queryparam}&var-testid=\${__data.fields.Run}&${runTime}`,
  ),
  link(
    "Compare with ${baseline}",
    `plimsoll-compare?var-test_a=\${test:percentencode}&var-a=\${__data.fields.Run}&var-test_b=\${test:percentencode}&var-b=\${baseline:percentencode}&${runTime}`,
  ),
  link(
    "Make it the baseline",
    "plimsoll-history?${test:queryparam}&${filter:queryparam}&var-baseline=${__data.fields.Run}&${__url_time_range}",
  ),
];

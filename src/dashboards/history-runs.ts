/**
 * PromQL for one value per run of `$test`, and what every chart and table of runs has of them: names, times, links.
 */
import { oneRun, type Said } from "./one-run.ts";
import type { Query } from "./panel.ts";
import { rowTime, shownFrom, shownTo } from "./run-time.ts";

/** Runs in a band. */
export const bandRuns = 20;
export const ofTest = 'test="$test"';

/** The runs that are shown, with what is known about them. */
export const info: string = `last_over_time(plimsoll_run_info{${ofTest}, \${filter:raw}}[$__range])`;

/** The last values of a run's own series. Over the whole range: its few points are anywhere in it. */
const said: Said = (series, matchers = "") =>
  `last_over_time(${series}{${[ofTest, ...(matchers === "" ? [] : [matchers])].join(", ")}}[$__range])`;
const each = oneRun(said, ["testid"]);

/** Of the runs that are shown. */
const shown = (expr: string): string => `(${expr} and on (testid) ${info})`;

/** A row per run, with the labels of `--tag`. */
export const known: string = `topk by (testid) (1, max without (instance_id, load_zone) (${info}))`;
export const state: string = shown(`(${each.state})`);
export const start: string = shown(each.start);
const end: string = shown(each.end);
export const duration: string = `(${end} - ${start})`;
export const p95: string = shown(each.slowest("http_req_duration", "p95"));
export const p99: string = shown(each.slowest("http_req_duration", "p99"));
export const failed: string = shown(`(${each.share("http_req_failed")})`);
export const throughput: string = `${shown(each.count("http_reqs"))} / ${duration}`;
export const vus: string = shown(each.most("vus"));
export const thresholdsFailed: string = shown(`sum by (testid) (1 - ${each.thresholds})`);
/** What p95 and p99 are of a run of several generators. */
export const ofSlowest = "Of a run of several generators: of the slowest one.";

/** Starts of the runs that have a p95: one that was aborted before its first request has none. */
const measured = `(${start} and on (testid) ${p95})`;
export const newestRun: string = `topk(1, ${measured})`;
/** The runs before the newest, as many as are in a band. */
export const runsBefore: string = `(topk(${bandRuns + 1}, ${measured}) unless on (testid) ${newestRun})`;

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
  { ...startQuery, refId: "from", expr: shownFrom(start), legend: "From" },
  { ...startQuery, refId: "to", expr: shownTo(start, end), legend: "To" },
];
export const timeColumns: Readonly<Record<string, string>> = {
  testid: "Run",
  "Value #start": "Started",
  "Value #end": "Ended",
  "Value #from": "From",
  "Value #to": "To",
};

interface Link {
  readonly title: string;
  readonly url: string;
}

/** A link from what has the columns of a run. */
function link(title: string, path: string): Link {
  return { title, url: `/d/${path}&\${datasource:queryparam}` };
}

export const links: readonly Link[] = [
  link(
    "Open the run",
    `plimsoll-run?\${test:queryparam}&var-testid=\${__data.fields.Run}&${rowTime}`,
  ),
  link(
    "Compare with ${baseline}",
    `plimsoll-compare?var-test_a=\${test:percentencode}&var-a=\${__data.fields.Run}&var-test_b=\${test:percentencode}&var-b=\${baseline:percentencode}&${rowTime}`,
  ),
  link(
    "Make it the baseline",
    "plimsoll-history?${test:queryparam}&${filter:queryparam}&var-baseline=${__data.fields.Run}&${__url_time_range}",
  ),
];

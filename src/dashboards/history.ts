/**
 * History: the runs of one test over months and years, a point for each.
 *
 * Asks nothing but the run's own series (`plimsoll_run_*`) and the recording rule `plimsoll:run_resource_ratio`
 * (provisioning/prometheus/rules/runs.yml), which are few enough to be kept for years. Each panel asks once, over the
 * whole time range, and puts a run's value at the time at which the run began.
 */
import {
  CustomVariableBuilder,
  TextBoxVariableBuilder,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { annotation } from "./annotations.ts";
import { dashboard, type DashboardFile } from "./dashboard.ts";
import {
  matching,
  named,
  stat,
  table,
  timeseries,
  type Override,
  type Panel,
  type Query,
} from "./panel.ts";
import { band, columns, merged, sortedBy, times } from "./transformations.ts";
import { anyTime } from "./two-runs.ts";
import { labelVariable } from "./variables.ts";

/** Runs in a band. */
const bandRuns = 20;
/** Rows in the tables of the best and the worst. */
const ranked = 10;

export function historyDashboard(): DashboardFile {
  return dashboard({
    name: "history",
    title: "History",
    description:
      "Every run of a test over months and years, a point for each: better or worse, since which release, and by how much.",
    from: "now-2y",
    variables: [
      labelVariable({
        name: "test",
        label: "Test",
        description: "The test's name: `--test`, by default the script's file name.",
        query: "label_values(plimsoll_run_info, test)",
      }),
      new TextBoxVariableBuilder("filter")
        .label("Labels")
        .description('Only runs with these labels of `--tag`, e.g. version=~"1.+", branch="main".')
        .defaultValue("")
        .current({ text: "", value: "" }),
      labelVariable({
        name: "baseline",
        label: "Baseline",
        description: "The run that others are compared with by their links; at first the newest.",
        query: `query_result(sort_desc(max by (testid) (last_over_time(plimsoll_run_start_time_seconds{test="$test"}${anyTime}))))`,
        regex: '/testid="([^"]+)"/',
        sort: VariableSort.Disabled,
      }),
      new CustomVariableBuilder("release")
        .label("Marks")
        .description("The label of `--tag` whose every new value is marked in the charts.")
        .values("version,commit,branch")
        .options(
          ["version", "commit", "branch"].map((value, index) => ({
            text: value,
            value,
            selected: index === 0,
          })),
        )
        .current({ text: "version", value: "version" }),
    ],
    annotations: [releases()],
    sections: [
      { panels: [runCount(), newest(), deviation(), yearAgo(), failedNewest()] },
      { title: "Course", panels: courses() },
      { title: "Best and worst", panels: [rank("best"), rank("worst")] },
      { title: "Runs", panels: [allRuns()] },
    ],
  });
}

const ofTest = 'test="$test"';

/** The runs that are shown, with what is known about them. */
const info = `last_over_time(plimsoll_run_info{${ofTest}, \${filter:raw}}[$__range])`;

/** The last value of each run of those shown. Over the whole range: a run's few points are anywhere in it. */
function perRun(series: string, matchers: string = ""): string {
  const all = matchers === "" ? ofTest : `${ofTest}, ${matchers}`;
  return `(max by (testid) (last_over_time(${series}{${all}}[$__range])) and on (testid) ${info})`;
}

function summary(metric: string, statName: string): string {
  return perRun("plimsoll_run_summary", `metric="${metric}", stat="${statName}"`);
}

const start = perRun("plimsoll_run_start_time_seconds");
const end = perRun("plimsoll_run_end_time_seconds");
const p95 = summary("http_req_duration", "p95");
const p99 = summary("http_req_duration", "p99");
const failed = summary("http_req_failed", "rate");
const throughput = `${summary("http_reqs", "count")} / (${end} - ${start})`;
const vus = summary("vus", "max");
/** The newest runs, as many as are in a band. */
const lastRuns = `topk(${bandRuns}, ${start})`;

/** One mark for each value of the label `$release` of the runs, at the start of the first run that had it. */
function releases(): ReturnType<typeof annotation> {
  const last = (series: string): string => `last_over_time(${series}[$__range] @ end())`;
  const known = `label_replace(${last(`plimsoll_run_info{${ofTest}, $release!=""}`)}, "release", "$1", "$release", "(.+)")`;
  const starts = last(`plimsoll_run_start_time_seconds{${ofTest}}`);
  const first = `min by (release) (max by (testid, release) (${known}) * on (testid) group_left () max by (testid) (${starts}))`;
  // The answer is the same at each point in time: it is given at those around the mark's own, of which Grafana makes one.
  const near = "2 * $__interval_ms / 1000";
  return annotation({
    name: "Releases",
    expr: `1000 * ((${first} > time() - ${near}) < time() + ${near})`,
    title: "{{release}}",
    text: "first run",
    color: "purple",
    atValue: true,
  });
}

function runCount(): Panel {
  return stat({
    title: "Runs",
    description:
      "Runs of the test in the time range that have the labels asked for. If there are none, widen the time range or " +
      "empty the field of labels.",
    unit: "short",
    queries: [{ expr: `count(${info})`, legend: "runs" }],
    noValue: "0",
  });
}

function newest(): Panel {
  return stat({
    title: "Newest run, p95",
    description:
      "95 % of the newest run's requests took no longer than this. If it is high, see whether the load grew too.",
    unit: "s",
    queries: [{ expr: `${p95} and on (testid) topk(1, ${start})`, legend: "{{testid}}" }],
    width: 5,
  });
}

function deviation(): Panel {
  const last = `(${p95} and on (testid) ${lastRuns})`;
  return stat({
    title: `Newest p95 in standard deviations`,
    description:
      `How far the newest run's p95 is from the mean of the last ${bandRuns} runs, in their standard deviations. Above ` +
      "2 is rare by chance: compare the run with the one before it.",
    unit: "none",
    decimals: 1,
    thresholds: [2, 3],
    queries: [
      {
        expr: `((${p95} and on (testid) topk(1, ${start})) - on () group_left () avg(${last})) / on () group_left () (stddev(${last}) > 0)`,
        legend: "standard deviations",
      },
    ],
    noValue: "all runs alike",
    width: 5,
  });
}

function yearAgo(): Panel {
  const year = 365.25 * 24 * 3_600;
  // The run that is nearest to a year before the newest, if it is within a quarter.
  const distance = `abs(${start} - on () group_left () (max(${start}) - ${year}))`;
  const then = `(${p95} and on (testid) bottomk(1, ${distance} < ${year / 4}))`;
  return stat({
    title: "Newest p95 against a year ago",
    description:
      "How the newest run's p95 differs from that of the run a year before it, or as near to that as a quarter. If it " +
      "is above, make that run the baseline in the table below and compare: two clicks.",
    unit: "percentunit",
    decimals: 1,
    thresholds: [0.05, 0.2],
    queries: [
      {
        expr: `max(${p95} and on (testid) topk(1, ${start})) / max(${then}) - 1`,
        legend: "difference",
      },
    ],
    noValue: "no run a year ago",
    width: 5,
  });
}

function failedNewest(): Panel {
  return stat({
    title: "Newest run, failed",
    description:
      "Share of the newest run's requests that failed. If there are any, its latencies are of other work than before.",
    unit: "percentunit",
    decimals: 2,
    thresholds: [0.001, 0.01],
    queries: [{ expr: `${failed} and on (testid) topk(1, ${start})`, legend: "{{testid}}" }],
    width: 5,
  });
}

/** The columns in which every table and chart of runs has a run's name and times, and the queries for them. */
const startQuery: Query & { readonly refId: string } = {
  refId: "start",
  expr: `${start} * 1000`,
  legend: "Started",
  rows: true,
  instant: true,
};
const timeQueries = [
  startQuery,
  { ...startQuery, refId: "end", expr: `${end} * 1000`, legend: "Ended" },
] as const;
const timeColumns = { testid: "Run", "Value #start": "Started", "Value #end": "Ended" };

/** A link from what has the columns of a run. */
function link(title: string, path: string): { readonly title: string; readonly url: string } {
  return { title, url: `/d/${path}&\${datasource:queryparam}` };
}

const runTime = "from=${__data.fields.Started.numeric}&to=${__data.fields.Ended.numeric}";
const links = [
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

interface Course {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly expr: string;
  readonly max?: number;
}

/** A point per run and the band of the runs before it. */
function course({ title, description, unit, expr, max }: Course): Panel {
  return timeseries({
    title,
    description: `${description} The band is the mean of ${bandRuns} runs, two standard deviations up and down.`,
    unit,
    width: 12,
    points: true,
    compactLegend: true,
    min: 0,
    ...(max !== undefined && { max }),
    queries: [{ refId: "value", expr, legend: title, rows: true, instant: true }, startQuery],
    transformations: [
      merged(),
      columns({ testid: "Run", "Value #start": "Started", "Value #value": title }),
      times("Started"),
      sortedBy("Started"),
      ...band(title, bandRuns),
    ],
    overrides: [
      named(title, { color: { mode: "fixed", fixedColor: "blue" } }),
      matching("/^(Mean|Upper|Lower)$/", {
        color: { mode: "fixed", fixedColor: "green" },
        "custom.drawStyle": "line",
        "custom.showPoints": "never",
        "custom.lineWidth": 0,
        "custom.fillOpacity": 0,
      }),
      named("Mean", { "custom.lineWidth": 1 }),
      named("Upper", { "custom.fillBelowTo": "Lower", "custom.fillOpacity": 15 }),
    ],
  });
}

function courses(): readonly Panel[] {
  return [
    course({
      title: "p95",
      description:
        "95 % of a run's requests took no longer than this. If points leave the band, look at the release before them.",
      unit: "s",
      expr: p95,
    }),
    course({
      title: "p99",
      description:
        "99 % of a run's requests took no longer than this. If it grows and p95 does not, some requests wait: see " +
        "connections and locks.",
      unit: "s",
      expr: p99,
    }),
    course({
      title: "Failed",
      description:
        "Share of a run's requests that failed. If it grows with the load, the system is beyond its limit.",
      unit: "percentunit",
      expr: failed,
    }),
    course({
      title: "Throughput",
      description:
        "A run's requests per second of its duration. If it falls while VUs stay, requests take longer.",
      unit: "reqps",
      expr: throughput,
    }),
    course({
      title: "Peak VUs",
      description:
        "The most virtual users of a run at once. If it changes, compare latencies only on the same side of the change.",
      unit: "short",
      expr: vus,
    }),
    resourcePeaks(),
  ];
}

/** As the recording rule has them. */
const resourceNames = ["cpu", "memory", "disk", "connections"] as const;

function resourcePeaks(): Panel {
  const peak = (resource: string): string =>
    `max by (testid) (max_over_time(plimsoll:run_resource_ratio{${ofTest}, resource="${resource}"}[$__range])) and on (testid) ${info}`;
  return timeseries({
    title: "Resource peaks",
    description:
      "The most that was used of each resource during a run: CPU, memory, disk, connections, of the busiest host or " +
      "pool. If one comes near to 100 %, that is the next limit. Recorded by a rule of Prometheus while a run is live: " +
      "runs that were ingested later have none.",
    unit: "percentunit",
    width: 12,
    points: true,
    compactLegend: true,
    min: 0,
    max: 1,
    queries: [
      ...resourceNames.map((resource) => ({
        refId: resource,
        expr: peak(resource),
        legend: resource,
        rows: true,
        instant: true,
      })),
      startQuery,
    ],
    transformations: [
      merged(),
      columns({
        testid: "Run",
        "Value #start": "Started",
        ...Object.fromEntries(resourceNames.map((resource) => [`Value #${resource}`, resource])),
      }),
      times("Started"),
      sortedBy("Started"),
    ],
  });
}

const ofRuns: readonly Override[] = [
  named("Run", { "custom.minWidth": 200, links }),
  matching("/^(Started|Ended)$/", { "custom.width": 160 }),
  matching("/^p9\\d$/", { unit: "s", "custom.width": 85 }),
  named("Requests/s", { unit: "reqps", decimals: 1, "custom.width": 100 }),
  named("Failed", { unit: "percentunit", decimals: 2, "custom.width": 80 }),
  named("Duration", { unit: "s", "custom.width": 90 }),
];

function rank(which: "best" | "worst"): Panel {
  const pick = `${which === "best" ? "bottomk" : "topk"}(${ranked}, ${p95})`;
  const of = (refId: string, expr: string, legend: string): Query => ({
    refId,
    expr: `(${expr}) and on (testid) ${pick}`,
    legend,
  });
  return table({
    title: which === "best" ? "Best runs" : "Worst runs",
    description:
      `The ${ranked} runs with the ${which === "best" ? "lowest" : "highest"} p95. ` +
      (which === "best"
        ? "If they are all old, what was good once is lost: make one of them the baseline and compare today's."
        : "If they share a version, or a time, begin there: open one, or compare it with the baseline."),
    unit: "short",
    width: 12,
    height: 11,
    queries: [
      ...timeQueries.map(({ refId, expr, legend }) => of(refId, expr, legend)),
      of("p95", p95, "p95"),
      of("rate", throughput, "Requests/s"),
      of("failed", failed, "Failed"),
    ],
    transformations: [
      merged(),
      columns({
        ...timeColumns,
        "Value #p95": "p95",
        "Value #rate": "Requests/s",
        "Value #failed": "Failed",
      }),
      times("Started", "Ended"),
    ],
    overrides: ofRuns,
    sortBy: { field: "p95", descending: which === "worst" },
  });
}

function allRuns(): Panel {
  const state = `max by (testid, state) (last_over_time(plimsoll_run_state{${ofTest}}[$__range]) == 1) and on (testid) ${info}`;
  const thresholdsFailed = `sum by (testid) (1 - last_over_time(plimsoll_threshold_ok{${ofTest}}[$__range])) and on (testid) ${info}`;
  return table({
    title: "Every run",
    description:
      "All runs of the test, with their labels. To compare last year's campaign with today's: click the old run and " +
      "make it the baseline, then click today's and compare. If a run is missing, its labels do not fit the field above.",
    unit: "short",
    height: 16,
    queries: [
      { refId: "known", expr: `max without () (${info})`, legend: "labels" },
      ...timeQueries,
      { refId: "state", expr: state, legend: "State" },
      { refId: "duration", expr: `${end} - ${start}`, legend: "Duration" },
      { refId: "thresholds", expr: thresholdsFailed, legend: "Thresholds failed" },
      { refId: "vus", expr: vus, legend: "Peak VUs" },
      { refId: "rate", expr: throughput, legend: "Requests/s" },
      { refId: "p95", expr: p95, legend: "p95" },
      { refId: "p99", expr: p99, legend: "p99" },
      { refId: "failed", expr: failed, legend: "Failed" },
    ],
    transformations: [
      merged(),
      columns({
        ...timeColumns,
        "Value #duration": "Duration",
        state: "State",
        "Value #thresholds": "Thresholds failed",
        "Value #vus": "Peak VUs",
        "Value #rate": "Requests/s",
        "Value #p95": "p95",
        "Value #p99": "p99",
        "Value #failed": "Failed",
        test: undefined,
        "Value #known": undefined,
        "Value #state": undefined,
      }),
      times("Started", "Ended"),
    ],
    overrides: [...ofRuns, named("Thresholds failed", { "custom.width": 130 })],
    sortBy: { field: "Started" },
  });
}

/**
 * Runs: the list, with the way to everything else that is known about each.
 *
 * All of it comes from the runs' own series; of those that are not over yet, from k6's.
 */
import { TextBoxVariableBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, type DashboardFile } from "./dashboard.ts";
import { oneRun } from "./one-run.ts";
import { hiddenColumn, named, stat, table, type Panel, type Query } from "./panel.ts";
import { k6 } from "./promql.ts";
import { shownFrom, shownTo } from "./run-time.ts";
import { stateMappings } from "./states.ts";
import { columns, merged } from "./transformations.ts";
import { histogramVariable, labelVariable, testVariable, type Variable } from "./variables.ts";

const ofTests = 'test=~"$test"';

/** What a run's own series last said of each run of the chosen tests. */
const said = (series: string, matchers = ""): string =>
  `last_over_time(${series}{${ofTests}${matchers}}[$__range])`;

/** `labels` is empty, or further matchers; PromQL takes the comma before nothing. */
const listed = said("plimsoll_run_info", ', version=~"$version", branch=~"$branch", ${labels:raw}');

const ofListed = (expr: string): string => `(${expr}) and on (testid) ${listed}`;

/** The run's own series are repeated once a minute, and two of these points may be a little more apart. */
const repeatWindow = "[150s]";
const saysRunning = `plimsoll_run_state{${ofTests}, state="running"}`;
const running = `max by (testid) (last_over_time(${saysRunning}${repeatWindow})) == 1`;
const each = oneRun((series, matchers) => said(series, matchers && `, ${matchers}`), ["testid"]);
const { start } = each;
/** Of a run of several generators, when the last of them was done. */
const end = `(${each.end} unless on (testid) (${running}))`;
/** About when a run fell silent that has no end: it said once a minute that it was running, or a little less often. */
const silence = `(${start} + 66 * max by (testid) (count_over_time(${saysRunning}[$__range])) unless on (testid) (${running}))`;

/** One state for each run; while one of its generators is running, the run is. */
const state = `topk by (testid) (1, max by (testid, state) (${said("plimsoll_run_state", ', state!="running"')}) == 1
  or 2 * (max by (testid, state) (last_over_time(${saysRunning}${repeatWindow})) == 1)
  or label_replace(max by (testid, state) (${said("plimsoll_run_state", ', state="running"')}) == 1
    unless on (testid) last_over_time(${saysRunning}${repeatWindow}), "state", "silent", "", ""))`;

const failed = k6("http_req_failed_total");

/** From where and to where the links go, in milliseconds; a run that goes on has -1, which reads `now`. */
const queries: readonly Query[] = [
  {
    refId: "info",
    legend: "info",
    expr: `topk by (testid) (1, max by (testid, test, generator, version, commit, branch) (${listed}))`,
  },
  { refId: "start", legend: "start", expr: ofListed(`${start} * 1000`) },
  {
    refId: "duration",
    legend: "duration",
    expr: ofListed(`(${end} or 0 * (${running}) + time()) - ${start}`),
  },
  { refId: "state", legend: "state", expr: ofListed(state) },
  {
    refId: "passed",
    legend: "passed",
    expr: ofListed(`sum by (testid) (${each.thresholds})`),
  },
  {
    refId: "failed",
    legend: "failed",
    expr: ofListed(`sum by (testid) (1 - ${each.thresholds})`),
  },
  {
    refId: "requests",
    legend: "requests",
    expr: ofListed(
      `${each.count("http_reqs")} or sum by (testid) (${k6("http_reqs_total")}{${ofTests}})`,
    ),
  },
  {
    refId: "p95",
    legend: "p95",
    expr: ofListed(
      `${each.slowest("http_req_duration", "p95")} or histogram_quantile(0.95, sum by (le, testid) (k6_http_req_duration\${histogram}{${ofTests}}))`,
    ),
  },
  {
    refId: "share",
    legend: "share",
    expr: ofListed(
      `${each.share("http_req_failed")} or sum by (testid) (${failed}{${ofTests}, condition="nonzero"}) / sum by (testid) (${failed}{${ofTests}})`,
    ),
  },
  {
    refId: "from",
    legend: "from",
    expr: ofListed(shownFrom(start)),
  },
  {
    refId: "to",
    legend: "to",
    expr: ofListed(`${shownTo(start, `(${end} or ${silence})`)} or 0 * ${start} - 1`),
  },
];

/** In their order; each with the field that it shows. */
const shown = {
  testid: "Run",
  test: "Test",
  "Value #start": "Started",
  "Value #duration": "Duration",
  state: "State",
  "Value #passed": "Thresholds passed",
  "Value #failed": "Thresholds failed",
  "Value #requests": "Requests",
  "Value #p95": "p95",
  "Value #share": "Failed",
  version: "Version",
  commit: "Commit",
  branch: "Branch",
  generator: "Generator",
  "Value #from": "From",
  "Value #to": "To",
  "Value #info": undefined,
  "Value #state": undefined,
};

/** To another dashboard, with what it is to show. */
function linkTo(title: string, name: string, parameters: Readonly<Record<string, string>>) {
  const query = Object.entries({ "var-datasource": "${datasource}", ...parameters });
  return {
    title,
    url: `/d/plimsoll-${name}/?${query.map(([key, value]) => `${key}=${value}`).join("&")}`,
  };
}

const rowRun = '${__data.fields["Run"]}';
const rowTest = '${__data.fields["Test"]}';
const rowTime = { from: '${__data.fields["From"]}', to: '${__data.fields["To"]}' };
const theRun = { "var-testid": rowRun, ...rowTime };

const links = [
  linkTo("Run: what happened", "run", theRun),
  linkTo("Correlation: was it the database?", "correlation", theRun),
  linkTo("Compare: against another run", "compare", {
    "var-test_a": rowTest,
    "var-a": rowRun,
    ...rowTime,
  }),
  linkTo("History: of its test", "history", { "var-test": rowTest }),
  linkTo("Fleet: its generators", "fleet", theRun),
  linkTo("Pipeline: is all of it stored?", "pipeline", theRun),
];

function list(): Panel {
  return table({
    title: "Runs",
    description:
      "Every run of the time shown. Durations and counts of a run that goes on are those so far; p95 of several generators is that of the slowest one, thresholds count once. Silent: it says that it is running, and has had no points for over two minutes. If a run is missing, show a longer time; if one is silent, see whether its generator and Plimsoll still live. Click on a run for its dashboards.",
    unit: "none",
    width: 24,
    height: 22,
    queries,
    transformations: [merged(), columns(shown)],
    overrides: [
      named("Run", { links, "custom.minWidth": 180 }),
      named("Test", { "custom.minWidth": 110 }),
      named("Started", { unit: "dateTimeAsIso", "custom.width": 165 }),
      named("Duration", { unit: "s", decimals: 1, "custom.width": 90 }),
      named("State", { mappings: stateMappings, "custom.cellOptions": { type: "color-text" } }),
      named("Thresholds passed", { decimals: 0, "custom.width": 165 }),
      named("Thresholds failed", {
        "custom.width": 158,
        decimals: 0,
        color: { mode: "thresholds" },
        thresholds: {
          mode: "absolute",
          steps: [
            { value: null, color: "green" },
            { value: 1, color: "red" },
          ],
        },
        "custom.cellOptions": { type: "color-text" },
      }),
      named("Requests", { unit: "short", "custom.width": 95 }),
      named("Branch", { "custom.minWidth": 110 }),
      named("p95", { unit: "s" }),
      named("Failed", { unit: "percentunit", decimals: 2 }),
      named("From", { ...hiddenColumn, decimals: 0 }),
      named("To", {
        ...hiddenColumn,
        decimals: 0,
        mappings: [{ type: "value", options: { "-1": { text: "now", index: 0 } } }],
      }),
    ],
    sortBy: { field: "Started" },
  });
}

function figures(): readonly Panel[] {
  const ended = ofListed(`group by (testid) (${said("plimsoll_run_end_time_seconds")})`);
  const finished = `group by (testid) (${said("plimsoll_run_state", ', state="finished"')} == 1)`;
  const aborted = `${said("plimsoll_run_state", ', state=~"aborted_.*|timed_out"')} == 1`;
  const missed = `${said("plimsoll_threshold_ok")} == 0`;
  const passed = ofListed(
    `${finished} unless on (testid) (${aborted}) unless on (testid) (${missed})`,
  );
  return [
    stat({
      title: "Runs in this time",
      description:
        "How many runs of the chosen tests and labels there are in the time shown. If it is 0, show a longer time, or choose fewer labels.",
      unit: "none",
      width: 6,
      noValue: "0",
      queries: [{ expr: `count(group by (testid) (${listed}))`, legend: "runs" }],
    }),
    stat({
      title: "Passed",
      description:
        "Share of the runs that are over which finished with no threshold failed. If it falls, look at the thresholds that failed, on the dashboard Run.",
      unit: "percentunit",
      decimals: 0,
      min: 0,
      max: 1,
      thresholds: [0.9, 0.5],
      width: 6,
      noValue: "no run is over",
      queries: [{ expr: `(count(${passed}) or vector(0)) / count(${ended})`, legend: "passed" }],
    }),
    stat({
      title: "Running",
      description:
        "Runs that were going on at the end of the time shown. If it is higher than you expect, somebody else loads the same system: results of both are worth little.",
      unit: "none",
      width: 6,
      queries: [{ expr: `count(${ofListed(running)}) or vector(0)`, legend: "running" }],
    }),
    stat({
      title: "Requests",
      description:
        "Requests of all runs that are over. If it is far from what you planned, look for runs that were aborted.",
      unit: "short",
      width: 6,
      noValue: "0",
      queries: [
        {
          expr: `sum(${ofListed(each.count("http_reqs"))})`,
          legend: "requests",
        },
      ],
    }),
  ];
}

function labelFilter(name: string, label: string, flag: string): Variable {
  return labelVariable({
    name,
    label,
    description: `Runs with \`--tag ${flag}\`; All has those without it, too.`,
    query: `label_values(plimsoll_run_info{${ofTests}}, ${name})`,
    multiple: true,
  });
}

export function runs(): DashboardFile {
  return dashboard({
    name: "runs",
    title: "Runs",
    description:
      "Every run of the time shown, newest first: how it ended, whether its thresholds passed, its figures, and links to all that is known about it.",
    from: "now-7d",
    refresh: "30s",
    variables: [
      testVariable(),
      labelFilter("version", "Version", "version=1.4.2"),
      labelFilter("branch", "Branch", "branch=main"),
      new TextBoxVariableBuilder("labels")
        .label("Further labels")
        .description('Matchers of any other `--tag`, e.g. environment="staging", commit=~"4f2.*"')
        .defaultValue(""),
      histogramVariable(),
    ],
    sections: [{ panels: figures() }, { panels: [list()] }],
  });
}

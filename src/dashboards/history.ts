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
import { dashboard, linkTo, type DashboardFile } from "./dashboard.ts";
import { courses, releases } from "./history-charts.ts";
import {
  bandRuns,
  failed,
  info,
  newestRun,
  ofSlowest,
  p95,
  runsBefore,
  start,
} from "./history-runs.ts";
import { allRuns, rank } from "./history-tables.ts";
import { stat, type Panel } from "./panel.ts";
import { anyTime } from "./two-runs.ts";
import { firstLabel, labelVariable, linkedRunVariable } from "./variables.ts";

export function historyDashboard(): DashboardFile {
  return dashboard({
    name: "history",
    title: "History",
    description:
      "Every run of a test over months and years, a point for each: better or worse, since which release, and by how much.",
    from: "now-2y",
    links: [linkTo("Compare", "compare", "&var-testid=${baseline:percentencode}")],
    variables: [
      linkedRunVariable(),
      labelVariable({
        name: "test",
        label: "Test",
        description: "The test's name: `--test`, by default the script's file name.",
        query: `query_result(sort_desc(2 * max by (test) (last_over_time(plimsoll_run_start_time_seconds{testid="$testid"}${anyTime})) or max by (test) (last_over_time(plimsoll_run_start_time_seconds${anyTime}))))`,
        regex: firstLabel,
        sort: VariableSort.Disabled,
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
        regex: firstLabel,
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

function runCount(): Panel {
  return stat({
    title: "Runs",
    description:
      "Runs of the test in the time range that have the labels asked for. If there are none, widen the time range or " +
      "empty the field of labels.",
    unit: "short",
    queries: [{ expr: `count(group by (testid) (${info}))`, legend: "runs" }],
    noValue: "0",
  });
}

function newest(): Panel {
  return stat({
    title: "Newest run, p95",
    description: `95 % of the newest run's requests took no longer than this. ${ofSlowest} If it is high, see whether the load grew too.`,
    unit: "s",
    queries: [{ expr: `${p95} and on (testid) ${newestRun}`, legend: "{{testid}}" }],
    width: 5,
  });
}

function deviation(): Panel {
  const before = `(${p95} and on (testid) ${runsBefore})`;
  return stat({
    title: `Newest p95 in standard deviations`,
    description:
      `How far the newest run's p95 is from the mean of the ${bandRuns} runs before it, in their standard deviations. If ` +
      "it is above 2, which is rare by chance, compare the run with the one before it.",
    unit: "none",
    decimals: 1,
    thresholds: [2, 3],
    queries: [
      {
        expr: `((${p95} and on (testid) ${newestRun}) - on () group_left () avg(${before})) / on () group_left () (stddev(${before}) > 0)`,
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
        expr: `max(${p95} and on (testid) ${newestRun}) / max(${then}) - 1`,
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
    queries: [{ expr: `${failed} and on (testid) ${newestRun}`, legend: "{{testid}}" }],
    width: 5,
  });
}

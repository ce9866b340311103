/**
 * A test's runs as tables: the best, the worst, and every one, with the links that compare two of them.
 */
import {
  duration,
  failed,
  known,
  links,
  ofSlowest,
  p95,
  p99,
  state,
  thresholdsFailed,
  throughput,
  timeColumns,
  timeQueries,
  vus,
} from "./history-runs.ts";
import {
  hiddenColumn,
  matching,
  named,
  table,
  type Override,
  type Panel,
  type Query,
} from "./panel.ts";
import { columns, merged, times } from "./transformations.ts";

/** Rows in the tables of the best and the worst. */
const ranked = 10;

const ofRuns: readonly Override[] = [
  named("Run", { "custom.minWidth": 180, links }),
  // With a unit no milliseconds.
  matching("/^(Started|Ended)$/", { unit: "dateTimeAsIso", "custom.width": 165 }),
  matching("/^p9\\d$/", { unit: "s", "custom.width": 85 }),
  named("Requests/s", { unit: "reqps", decimals: 1, "custom.width": 110 }),
  named("Failed", { unit: "percentunit", decimals: 2, "custom.width": 80 }),
  matching("/^(From|To)$/", hiddenColumn),
];

export function rank(which: "best" | "worst"): Panel {
  // A run that was aborted can be quick.
  const finished = `(${p95} and on (testid) (${state} == 1))`;
  const pick = which === "best" ? `bottomk(${ranked}, ${finished})` : `topk(${ranked}, ${p95})`;
  const of = (refId: string, expr: string, legend: string): Query => ({
    refId,
    expr: `(${expr}) and on (testid) ${pick}`,
    legend,
  });
  return table({
    title: which === "best" ? "Best runs" : "Worst runs",
    description:
      `The ${ranked} ${which === "best" ? "finished runs with the lowest" : "runs with the highest"} p95. ${ofSlowest} ` +
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
    // What the links take.
    overrides: [...ofRuns, named("Ended", hiddenColumn)],
    sortBy: { field: "p95", descending: which === "worst" },
  });
}

export function allRuns(): Panel {
  return table({
    title: "Every run",
    description:
      "All runs of the test, with their labels. p95 and p99 of several generators are those of the slowest one. " +
      "To compare last year's campaign with today's: click the old run and " +
      "make it the baseline, then click today's and compare. If a run is missing, its labels do not fit the field above.",
    unit: "short",
    height: 16,
    queries: [
      { refId: "known", expr: known, legend: "labels" },
      ...timeQueries,
      { refId: "state", expr: state, legend: "State" },
      { refId: "duration", expr: duration, legend: "Duration" },
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
    overrides: [
      ...ofRuns,
      named("Duration", { unit: "s", "custom.width": 90 }),
      named("State", { "custom.width": 95 }),
      named("Thresholds failed", { "custom.width": 150 }),
      named("Peak VUs", { "custom.width": 95 }),
    ],
    sortBy: { field: "Started" },
  });
}

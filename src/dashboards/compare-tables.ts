/**
 * What two runs measured over the whole of each, side by side with their difference: percentiles, endpoints, checks,
 * thresholds, and the summaries that are kept for years.
 */
import { colored, ranges } from "./differences.ts";
import { matching, named, table, type Panel } from "./panel.ts";
import { columns, merged } from "./transformations.ts";
import {
  atEnd,
  difference,
  failedShare,
  kept,
  labelled,
  wholeQuantile,
  type RunName,
} from "./two-runs.ts";

/** The steps of the ladder, and by which stat a run's summary has them. */
const steps: readonly (readonly [name: string, q: number, stat?: string])[] = [
  ["p50", 0.5, "med"],
  ["p75", 0.75],
  ["p90", 0.9, "p90"],
  ["p95", 0.95, "p95"],
  ["p99", 0.99, "p99"],
  ["p99.9", 0.999],
];

export function ladder(): Panel {
  const of = (run: RunName): string =>
    steps
      .map(([label, q, name]) => {
        const exact = wholeQuantile(q, run);
        const either = name ? `${exact} or ${kept[run].slowest("http_req_duration", name)}` : exact;
        return labelled(`(${either})`, "quantile", label);
      })
      .join(" or ");
  return table({
    title: "Percentiles",
    description:
      "http_req_duration of all requests, each run over the whole of its own time. If only the high ones grew, some " +
      "requests wait: see connections and locks below. If all grew, everything is slower: see CPU.",
    unit: "s",
    width: 6,
    height: 9,
    queries: [
      { refId: "A", expr: of("a"), legend: "A" },
      { refId: "B", expr: of("b"), legend: "B" },
      {
        refId: "difference",
        expr: difference(`(${of("a")})`, `(${of("b")})`),
        legend: "A against B",
      },
    ],
    transformations: [
      merged(),
      columns({
        quantile: "Percentile",
        "Value #A": "A",
        "Value #B": "B",
        "Value #difference": "A against B",
      }),
    ],
    overrides: [
      named("Percentile", { "custom.width": 90 }),
      named("A against B", { "custom.width": 115 }),
      colored("A against B"),
    ],
    sortBy: { field: "Percentile", descending: false },
  });
}

export function endpoints(): Panel {
  const by = ["method", "name"];
  const grouping = ` by (${by.join(", ")})`;
  const queries = (["a", "b"] as const).flatMap((run) => {
    const name = run.toUpperCase();
    return [
      {
        refId: `requests${name}`,
        expr: `sum${grouping} (${atEnd("k6_http_reqs_total", run)})`,
        legend: `Requests ${name}`,
      },
      { refId: `median${name}`, expr: wholeQuantile(0.5, run, by), legend: `p50 ${name}` },
      { refId: `high${name}`, expr: wholeQuantile(0.95, run, by), legend: `p95 ${name}` },
      { refId: `failed${name}`, expr: failedShare(run, grouping), legend: `Failed ${name}` },
    ];
  });
  const both = (q: number): string =>
    difference(wholeQuantile(q, "a", by), wholeQuantile(q, "b", by));
  return table({
    title: "Endpoints",
    description:
      "Every endpoint over the whole of each run, by method and name. If one alone is slower, look for what only it " +
      "does: its statements, its dependencies. If all are, look at the resources. An endpoint without a difference is " +
      "in one run only: give requests a `name`, or their URLs are endpoints of their own.",
    unit: "s",
    width: 18,
    height: 9,
    queries: [
      ...queries,
      { refId: "medianChange", expr: both(0.5), legend: "p50 A against B" },
      { refId: "highChange", expr: both(0.95), legend: "p95 A against B" },
    ],
    transformations: [
      merged(),
      columns({
        method: "Method",
        name: "Name",
        "Value #requestsA": "Requests A",
        "Value #requestsB": "Requests B",
        "Value #medianA": "p50 A",
        "Value #medianB": "p50 B",
        "Value #medianChange": "p50 A against B",
        "Value #highA": "p95 A",
        "Value #highB": "p95 B",
        "Value #highChange": "p95 A against B",
        "Value #failedA": "Failed A",
        "Value #failedB": "Failed B",
      }),
    ],
    overrides: [
      named("Method", { "custom.width": 70 }),
      named("Name", { "custom.minWidth": 110 }),
      matching("/^Requests/", { unit: "short", "custom.width": 105 }),
      matching("/^p\\d+ .$/", { "custom.width": 72 }),
      matching("/against/", { "custom.width": 150 }),
      matching("/^Failed/", { unit: "percentunit", decimals: 2, "custom.width": 85 }),
      colored("p50 A against B"),
      colored("p95 A against B"),
    ],
    sortBy: { field: "p95 A against B" },
  });
}

export function checks(): Panel {
  const passed = (run: RunName): string => {
    const of = (matchers: string): string =>
      `sum by (group, check) (${atEnd("k6_checks_total", run, matchers)})`;
    return `${of('condition="nonzero"')} / ${of("")}`;
  };
  return table({
    title: "Checks",
    description:
      "Share of each check's samples that passed, over the whole of each run. If A's is lower, answers were wrong, and " +
      "its latencies are of other work than B's.",
    unit: "percentunit",
    decimals: 2,
    width: 12,
    queries: [
      { refId: "A", expr: passed("a"), legend: "A" },
      { refId: "B", expr: passed("b"), legend: "B" },
      { refId: "difference", expr: `${passed("a")} - ${passed("b")}`, legend: "A minus B" },
    ],
    transformations: [
      merged(),
      columns({
        group: "Group",
        check: "Check",
        "Value #A": "A",
        "Value #B": "B",
        "Value #difference": "A minus B",
      }),
    ],
    overrides: [
      named("A minus B", {
        "custom.cellOptions": { type: "color-text" },
        mappings: ranges([
          [null, -0.01, "red"],
          [-0.01, -1e-9, "orange"],
          [-1e-9, null, "text"],
        ]),
      }),
    ],
    noValue: "no checks",
  });
}

export function thresholds(): Panel {
  return table({
    title: "Thresholds",
    description:
      "The thresholds of each script and whether each of the run's generators met them. If one is in one column only, the scripts differ.",
    unit: "none",
    width: 12,
    queries: [
      { refId: "A", expr: kept.a.thresholds, legend: "A" },
      { refId: "B", expr: kept.b.thresholds, legend: "B" },
    ],
    transformations: [
      merged(),
      columns({ metric: "Metric", threshold: "Threshold", "Value #A": "A", "Value #B": "B" }),
    ],
    overrides: [
      named("Metric", { "custom.width": 270 }),
      matching("/^[AB]$/", {
        "custom.cellOptions": { type: "color-text" },
        mappings: ranges([
          [1, 1, "green", "passed"],
          [0, 0, "red", "failed"],
        ]),
      }),
    ],
    noValue: "no thresholds",
  });
}

export function summaries(): Panel {
  return table({
    title: "Summaries",
    description:
      "What each run measured, as it is kept when its seconds are gone; times in seconds. Quantiles of a run of several " +
      "generators are those of the slowest one. If the tables above are empty, this is what is left to compare.",
    unit: "short",
    height: 10,
    queries: [
      { refId: "A", expr: kept.a.summaries, legend: "A" },
      { refId: "B", expr: kept.b.summaries, legend: "B" },
      {
        refId: "difference",
        expr: difference(`(${kept.a.summaries})`, `(${kept.b.summaries})`),
        legend: "A against B",
      },
    ],
    transformations: [
      merged(),
      columns({
        metric: "Metric",
        stat: "Stat",
        "Value #A": "A",
        "Value #B": "B",
        "Value #difference": "A against B",
      }),
    ],
    overrides: [named("A against B", { unit: "percentunit", decimals: 1 })],
    sortBy: { field: "Metric", descending: false },
  });
}

/**
 * Compare: run A against run B, as if both had started at the same time.
 *
 * First whether the two loads can be compared at all, then what A's requests took of B's, then the courses of both and
 * the resources behind them, and last what is left of runs whose seconds are gone. A difference is always A's, in
 * parts of B: +20 % says that A is a fifth above B.
 */
import type { ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { MappingType } from "@grafana/grafana-foundation-sdk/dashboard";
import { annotation } from "./annotations.ts";
import { dashboard, type DashboardFile, type Section } from "./dashboard.ts";
import {
  matching,
  named,
  stat,
  table,
  timeseries,
  type Override,
  type Panel,
  type TimeseriesOptions,
} from "./panel.ts";
import { orClassic, perSecond, quantile, share } from "./promql.ts";
import { columns, merged, times } from "./transformations.ts";
import {
  anyTime,
  atEnd,
  difference,
  duration,
  known,
  labelled,
  moved,
  ofBoth,
  ofRunNamed,
  summary,
  total,
  twoRunsVariables,
  type RunName,
} from "./two-runs.ts";
import { histogramVariable, systemVariables } from "./variables.ts";

export function compareDashboard(): DashboardFile {
  return dashboard({
    name: "compare",
    title: "Compare",
    description:
      "Two runs of any test and any time, laid over each other: A is judged, B is what it is held against.",
    variables: [...twoRunsVariables(), ...systemVariables(), histogramVariable()],
    annotations: [
      annotation({
        name: "End of A",
        expr: `${known("plimsoll_run_end_time_seconds", "a")} * 1000`,
        title: "A ended",
        text: "$a",
        color: "blue",
        atValue: true,
      }),
      annotation({
        name: "End of B",
        expr: `${known("plimsoll_run_end_time_seconds", "b")} * 1000 + $offset`,
        title: "B ended, moved to A's time",
        text: "$b",
        color: "orange",
        atValue: true,
      }),
    ],
    sections: [
      { panels: [runs(), inView(), ...comparability()] },
      { title: "Latency over the whole run", panels: [ladder(), endpoints()] },
      { title: "Course of both runs, from t = 0", panels: courses() },
      { title: "Resources of both runs, from t = 0", panels: resources() },
      { title: "Checks and thresholds", panels: [checks(), thresholds()] },
      { title: "What is kept for years", panels: [summaries()] },
    ] satisfies Section[],
  });
}

/** Colours of a difference of which more is worse. */
const worseAbove: readonly ValueMapping[] = ranges([
  [null, -0.05, "green"],
  [-0.05, 0.05, "text"],
  [0.05, 0.2, "orange"],
  [0.2, null, "red"],
]);

/** Colours of a difference that should be none, either way. */
const bestNone: readonly ValueMapping[] = ranges([
  [-0.05, 0.05, "green"],
  [-0.2, 0.2, "orange"],
  [null, null, "red"],
]);

/** The first range that holds a value counts; `null` is without end. */
function ranges(
  steps: readonly (readonly [
    from: number | null,
    to: number | null,
    color: string,
    text?: string,
  ])[],
): ValueMapping[] {
  return steps.map(([from, to, color, text], index) => ({
    type: MappingType.RangeToText,
    options: { from, to, result: { color, index, ...(text !== undefined && { text }) } },
  }));
}

const percent = { unit: "percentunit", decimals: 1, "custom.cellOptions": { type: "color-text" } };
/** A column of differences. */
const colored = (field: string): Override => named(field, { ...percent, mappings: worseAbove });

/** For links to this dashboard: what is chosen on it. */
const sameRuns = ["datasource", "test_a", "a", "test_b", "b", "histogram"]
  .map((name) => `\${${name}:queryparam}`)
  .join("&");

function runs(): Panel {
  const start = "plimsoll_run_start_time_seconds";
  const end = "plimsoll_run_end_time_seconds";
  const rows = [
    [
      "known",
      (run: RunName) =>
        `max without () (last_over_time(plimsoll_run_info{${ofRunNamed(run)}}${anyTime}))`,
    ],
    [
      "state",
      (run: RunName) =>
        `max by (state) (last_over_time(plimsoll_run_state{${ofRunNamed(run)}}${anyTime}) == 1)`,
    ],
    ["start", (run: RunName) => `${known(start, run)} * 1000`],
    ["end", (run: RunName) => `(${known(end, run)} or vector(time())) * 1000`],
    ["duration", duration],
    ["vus", (run: RunName) => peakVus(run)],
    ["requests", (run: RunName) => total("http_reqs", run)],
    ["rate", (run: RunName) => `${total("http_reqs", run)} / ${duration(run)}`],
    ["iterations", (run: RunName) => total("iterations", run)],
    ["dropped", (run: RunName) => total("dropped_iterations", run)],
    ["failed", (run: RunName) => failedShare(run)],
    ["p95", (run: RunName) => summary("http_req_duration", "p95", run)],
  ] as const;
  return table({
    title: "The two runs",
    description:
      "Who is compared, how much load each made, and when. Labels of `--tag`, such as a version, are further columns. " +
      "If A's panels are empty, the time range does not show A: click its id.",
    unit: "short",
    height: 5,
    queries: rows.map(([refId, expr]) => ({ refId, expr: ofBoth(expr), legend: refId })),
    transformations: [
      merged(),
      columns({
        run: "Run",
        testid: "Id",
        test: "Test",
        generator: "Generator",
        state: "State",
        "Value #start": "Started",
        "Value #end": "Ended",
        "Value #duration": "Duration",
        "Value #vus": "Peak VUs",
        "Value #requests": "Requests",
        "Value #rate": "Requests/s",
        "Value #iterations": "Iterations",
        "Value #dropped": "Dropped iterations",
        "Value #failed": "Failed",
        "Value #p95": "p95",
        "Value #known": undefined,
        "Value #state": undefined,
      }),
      times("Started", "Ended"),
    ],
    overrides: [
      named("Run", { "custom.width": 50 }),
      named("Id", {
        "custom.width": 220,
        links: [
          {
            title: "Show the time of this run",
            url: `/d/plimsoll-compare?from=\${__data.fields.Started.numeric}&to=\${__data.fields.Ended.numeric}&${sameRuns}`,
          },
        ],
      }),
      matching("/^(Started|Ended)$/", { "custom.width": 165 }),
      named("Duration", { unit: "dtdurations", "custom.width": 110 }),
      named("Requests/s", { unit: "reqps", decimals: 1 }),
      named("Failed", { unit: "percentunit", decimals: 2 }),
      named("p95", { unit: "s" }),
    ],
  });
}

function inView(): Panel {
  const start = known("plimsoll_run_start_time_seconds", "a");
  const end = `(${known("plimsoll_run_end_time_seconds", "a")} or vector(time()))`;
  return stat({
    title: "Time range",
    description:
      "Whether the time range shows the whole of run A. If it does not, the courses below are cut or empty: click A's " +
      "id in the table above. The tables are over the whole runs in any case.",
    unit: "none",
    queries: [
      {
        // The range is in whole seconds.
        expr: `(${start} >= bool (time() - $__range_s - 1)) * (${end} <= bool (time() + 1))`,
        legend: "time range",
      },
    ],
    mappings: ranges([
      [0.5, 1, "green", "shows A"],
      [0, 0.5, "orange", "not all of A"],
    ]),
    noValue: "no run A",
    background: true,
  });
}

/** By name, A's difference from B. */
const loads: Readonly<Record<string, string>> = {
  "peak VUs": difference(peakVus("a"), peakVus("b")),
  "requests/s": difference(rateOf("http_reqs", "a"), rateOf("http_reqs", "b")),
  "iterations/s": difference(rateOf("iterations", "a"), rateOf("iterations", "b")),
  duration: difference(duration("a"), duration("b")),
  // Of what was to be done, so that it adds to the others.
  "dropped iterations": `${droppedShare("a")} - ${droppedShare("b")}`,
};

function comparability(): readonly Panel[] {
  const all = Object.entries(loads)
    .map(([name, expr]) => labelled(expr, "load", name))
    .join(" or ");
  const generators = (["a", "b"] as const).map(
    (run) => `last_over_time(plimsoll_run_info{${ofRunNamed(run)}}${anyTime})`,
  );
  const others = labelled(
    `count(count by (generator) (${generators.join(" or ")})) > bool 1`,
    "load",
    "generator",
  );
  return [
    stat({
      title: "Are the loads comparable?",
      description:
        "The largest difference between the two loads: VUs, requests/s, iterations/s, duration, dropped iterations; " +
        "100 % where the generators differ. If it is above 5 %, latencies say little about the system: run A again " +
        "with B's load. With fixed VUs a slower system is asked less often: then equal VUs are equal loads.",
      unit: "percentunit",
      queries: [{ expr: `max(abs(${all} or ${others}))`, legend: "largest difference" }],
      mappings: ranges([
        [0, 0.05, "green", "comparable"],
        [0.05, 0.2, "orange", "not comparable: load differs by over 5 %"],
        [0.2, null, "red", "not comparable: load differs by over 20 %"],
      ]),
      noValue: "one run lacks figures",
      background: true,
      width: 6,
    }),
    stat({
      title: "Load of A against B",
      description:
        "How A's load differs from B's; dropped iterations as a share of those that were due. If one is orange, look " +
        "at that line below to see when the loads part; a generator that drops iterations is at its own limit.",
      unit: "percentunit",
      decimals: 1,
      queries: [{ expr: all, legend: "{{load}}" }],
      mappings: bestNone,
      width: 14,
    }),
  ];
}

function peakVus(run: RunName): string {
  return `(${summary("vus", "max", run)} or sum(max_over_time(k6_vus{${ofRunNamed(run)}}[1d] @ $end_${run})))`;
}

function rateOf(metric: string, run: RunName): string {
  return `(${total(metric, run)} / ${duration(run)})`;
}

function droppedShare(run: RunName): string {
  const dropped = `(${total("dropped_iterations", run)} or vector(0))`;
  return `(${dropped} / (${dropped} + ${total("iterations", run)}))`;
}

function failedShare(run: RunName, by: string = ""): string {
  const failed = atEnd("k6_http_req_failed_total", run, 'condition="nonzero"');
  const all = atEnd("k6_http_req_failed_total", run);
  return `sum${by} (${failed}) / sum${by} (${all})`;
}

function wholeQuantile(q: number, run: RunName, by: readonly string[] = []): string {
  const histogram = atEnd("k6_http_req_duration${histogram}", run);
  return orClassic(`histogram_quantile(${q}, sum by (${["le", ...by].join(", ")}) (${histogram}))`);
}

/** The steps of the ladder, and by which stat a run's summary has them. */
const steps: readonly (readonly [name: string, q: number, stat?: string])[] = [
  ["p50", 0.5, "med"],
  ["p75", 0.75],
  ["p90", 0.9, "p90"],
  ["p95", 0.95, "p95"],
  ["p99", 0.99, "p99"],
  ["p99.9", 0.999],
];

function ladder(): Panel {
  const of = (run: RunName): string =>
    steps
      .map(([name, q, kept]) => {
        const exact = wholeQuantile(q, run);
        const either = kept ? `${exact} or ${summary("http_req_duration", kept, run)}` : exact;
        return labelled(`(${either})`, "quantile", name);
      })
      .join(" or ");
  return table({
    title: "Percentiles",
    description:
      "http_req_duration of all requests, each run over the whole of its own time. If only the high ones grew, some " +
      "requests wait: see connections and locks below. If all grew, everything is slower: see CPU.",
    unit: "s",
    width: 8,
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
    overrides: [colored("A against B")],
    sortBy: { field: "Percentile", descending: false },
  });
}

function endpoints(): Panel {
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
    width: 16,
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
      named("Name", { "custom.minWidth": 160 }),
      matching("/^Requests/", { unit: "short", "custom.width": 90 }),
      matching("/^p\\d+ .$/", { "custom.width": 75 }),
      matching("/against/", { "custom.width": 110 }),
      matching("/^Failed/", { unit: "percentunit", decimals: 2, "custom.width": 75 }),
      colored("p50 A against B"),
      colored("p95 A against B"),
    ],
    sortBy: { field: "p95 A against B" },
  });
}

/** A as a line, B dashed, moved onto A's time. */
function overlay(
  options: Omit<TimeseriesOptions, "queries">,
  expr: (run: RunName) => string,
): Panel {
  return timeseries({
    min: 0,
    width: 12,
    compactLegend: false,
    ...options,
    queries: [
      { refId: "A", expr: expr("a"), legend: "A" },
      { refId: "B", expr: expr("b"), legend: "B" },
    ],
    overrides: [
      named("A", { color: { mode: "fixed", fixedColor: "blue" } }),
      named("B", {
        color: { mode: "fixed", fixedColor: "orange" },
        "custom.fillOpacity": 0,
        "custom.lineStyle": { fill: "dash", dash: [8, 5] },
      }),
    ],
  });
}

function courses(): readonly Panel[] {
  return [
    overlay(
      {
        title: "VUs",
        description:
          "Virtual users of both runs. If the lines part, the loads differ: compare only where they agree.",
        unit: "short",
      },
      (run) => `sum(k6_vus{${ofRunNamed(run)}}${moved[run]})`,
    ),
    overlay(
      {
        title: "Requests/s",
        description:
          "Requests of both runs per second. If A's line lies below B's under the same VUs, A's requests take longer.",
        unit: "reqps",
      },
      (run) => perSecond("http_reqs", ofRunNamed(run), [], moved[run]),
    ),
    overlay(
      {
        title: "p95",
        description:
          "95 % of the requests took no longer than this. If A leaves B at some moment, look at what the resources " +
          "below did at that moment.",
        unit: "s",
      },
      (run) => orClassic(quantile(0.95, "http_req_duration", ofRunNamed(run), [], moved[run])),
    ),
    overlay(
      {
        title: "Failed requests",
        description:
          "Share of the requests that failed. If A fails more, its latencies may look better than they are: an error " +
          "is often quick.",
        unit: "percentunit",
        max: 1,
      },
      (run) => share("http_req_failed", ofRunNamed(run), [], moved[run]),
    ),
  ];
}

interface Resource {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly max?: number;
  /** @param at The modifier of each selector. */
  readonly expr: (at: string) => string;
}

const window = "[$__rate_interval]";

/** Of the busiest host or database where there are several. */
const systemResources: readonly Resource[] = [
  {
    title: "Application, p95",
    description:
      "What the application itself measured, without the way to it. If the clients' p95 grew and this did not, look " +
      "at the network, at a proxy, or at the load generator.",
    unit: "s",
    expr: (at) =>
      `histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{job=~"$app"}${window}${at})))`,
  },
  {
    title: "Connections in use",
    description:
      "Connections of the application's pools that were in use. If A's line is flat at the top, the pool is exhausted.",
    unit: "short",
    expr: (at) =>
      `sum(db_client_connection_count{job=~"$app", db_client_connection_state="used"}${at})`,
  },
  {
    title: "Waiting for a connection",
    description:
      "Requests that waited for a connection. If A has more of them, find what holds connections longer: statements, " +
      "locks, transactions left open.",
    unit: "short",
    expr: (at) => `sum(db_client_connection_pending_requests{job=~"$app"}${at})`,
  },
  {
    title: "CPU",
    description:
      "Busy share of the busiest host's CPU. If A's is near 100 %, the host is the limit: see what else ran on it.",
    unit: "percentunit",
    max: 1,
    expr: (at) =>
      `max(1 - avg by (instance) (rate(node_cpu_seconds_total{instance=~"$host", mode="idle"}${window}${at})))`,
  },
  {
    title: "Memory",
    description:
      "Share of the fullest host's memory that is not available. If A's grows all the time and B's did not, something leaks.",
    unit: "percentunit",
    max: 1,
    expr: (at) =>
      `max(1 - node_memory_MemAvailable_bytes{instance=~"$host"}${at} / node_memory_MemTotal_bytes{instance=~"$host"}${at})`,
  },
  {
    title: "Disk",
    description:
      "Share of the time in which the busiest disk had something to do. If A's is near 100 %, look for what reads and writes.",
    unit: "percentunit",
    max: 1,
    expr: (at) => `max(rate(node_disk_io_time_seconds_total{instance=~"$host"}${window}${at}))`,
  },
  {
    title: "Network",
    description:
      "Bytes that the hosts received and sent per second, loopback left out. If A moves more for the same requests, " +
      "answers grew or a cache is gone.",
    unit: "Bps",
    expr: (at) => {
      const of = (direction: string): string =>
        `sum(rate(node_network_${direction}_bytes_total{instance=~"$host", device!="lo"}${window}${at}))`;
      return `${of("receive")} + ${of("transmit")}`;
    },
  },
  {
    title: "Active database connections",
    description:
      "Connections of the database that were executing something. If A has more for the same requests, statements take longer.",
    unit: "short",
    expr: (at) => `sum(pg_stat_activity_count{instance=~"$database", state="active"}${at})`,
  },
  {
    title: "Waiting for a lock",
    description:
      "Connections of the database that waited for a lock. If A has them and B has not, find the transaction that holds it.",
    unit: "short",
    // The exporter leaves out what nobody does: none, while the database is up.
    expr: (at) =>
      `sum(pg_stat_activity_count{instance=~"$database", wait_event_type="Lock"}${at}) or 0 * sum(pg_up{instance=~"$database"}${at})`,
  },
];

function resources(): readonly Panel[] {
  return systemResources.map(({ expr, ...options }) =>
    overlay({ ...options, width: 8, height: 7 }, (run) => expr(moved[run])),
  );
}

function checks(): Panel {
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

function thresholds(): Panel {
  const ok = (run: RunName): string =>
    `max by (metric, threshold) (last_over_time(plimsoll_threshold_ok{${ofRunNamed(run)}}${anyTime}))`;
  return table({
    title: "Thresholds",
    description:
      "The thresholds of each script and whether they were met. If one is in one column only, the scripts differ.",
    unit: "none",
    width: 12,
    queries: [
      { refId: "A", expr: ok("a"), legend: "A" },
      { refId: "B", expr: ok("b"), legend: "B" },
    ],
    transformations: [
      merged(),
      columns({ metric: "Metric", threshold: "Threshold", "Value #A": "A", "Value #B": "B" }),
    ],
    overrides: [
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

function summaries(): Panel {
  const of = (run: RunName): string =>
    `max by (metric, stat) (last_over_time(plimsoll_run_summary{${ofRunNamed(run)}}${anyTime}))`;
  return table({
    title: "Summaries",
    description:
      "What each run measured, as it is kept when its seconds are gone; times in seconds. If the tables above are " +
      "empty, this is what is left to compare.",
    unit: "short",
    height: 10,
    queries: [
      { refId: "A", expr: of("a"), legend: "A" },
      { refId: "B", expr: of("b"), legend: "B" },
      { refId: "difference", expr: difference(of("a"), of("b")), legend: "A against B" },
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
    overrides: [named("A against B", { ...percent })],
    sortBy: { field: "Metric", descending: false },
  });
}

/**
 * Run: one run, live or later: the load, what the clients saw of it, where their time went, and whether the generator
 * itself was well.
 *
 * Figures on top are of the whole run up to the end of the time shown, from counters; curves are of a window.
 */
import { BigValueTextMode } from "@grafana/grafana-foundation-sdk/common";
import { MappingType } from "@grafana/grafana-foundation-sdk/dashboard";
import { runAnnotations } from "./annotations.ts";
import { generatorHealth } from "./generator-health.ts";
import { dashboard, type DashboardFile, type Section } from "./dashboard.ts";
import { heatmap, named, stat, table, timeseries, type Panel } from "./panel.ts";
import {
  buckets,
  busyCores,
  k6,
  last,
  ofRun,
  perSecond,
  quantile,
  secondsPerSecond,
  share,
  wholeQuantile,
} from "./promql.ts";
import { passedMappings } from "./states.ts";
import { columns, merged } from "./transformations.ts";
import { histogramVariable, labelVariable, runVariable, testVariable } from "./variables.ts";

const duration = "http_req_duration";

/** A counter of k6 since the run's start, summed by labels. */
function total(metric: string, matchers: string = ofRun, by: readonly string[] = []): string {
  const grouping = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  return `sum${grouping} (${last(k6(`${metric}_total`), matchers)})`;
}

/** Share of the non-zero samples of a k6 rate since the run's start. */
const totalShare = (metric: string, by: readonly string[] = []): string =>
  `${total(metric, `${ofRun}, condition="nonzero"`, by)} / ${total(metric, ofRun, by)}`;

/** A metric that k6 leaves out as long as there is nothing to count: 0 wherever there is the other. */
const orZero = (expr: string, other: string): string => `(${expr} or 0 * ${other})`;

const start = `min(${last("plimsoll_run_start_time_seconds")})`;

/** Of the whole run; eight of them fill a line. */
function figure(
  title: string,
  description: string,
  unit: string,
  expr: string,
  more: Partial<Parameters<typeof stat>[0]> = {},
): Panel {
  const queries = [{ expr, legend: title.toLowerCase() }];
  return stat({ title, description, unit, width: 3, queries, ...more });
}

function figures(): Section {
  const state = (matcher: string, value: number): string =>
    `${value} * (max by (state) (${last("plimsoll_run_state", `${ofRun}, state${matcher}`)}) == 1)`;
  return {
    panels: [
      figure(
        "State",
        "How the run is, or how it ended. If it is aborted, its thresholds, k6's log and the annotations say why.",
        "none",
        `${state('="finished"', 0)} or ${state('="running"', 1)} or ${state('!~"finished|running"', 2)}`,
        {
          queries: [
            {
              expr: `${state('="finished"', 0)} or ${state('="running"', 1)} or ${state('!~"finished|running"', 2)}`,
              legend: "{{state}}",
            },
          ],
          textMode: BigValueTextMode.Name,
          background: true,
          mappings: [
            {
              type: MappingType.ValueToText,
              options: { "0": { color: "green" }, "1": { color: "blue" }, "2": { color: "red" } },
            },
          ],
          noValue: "no such run in this time",
        },
      ),
      figure(
        "Duration",
        "From the run's first sample to its last, or until now. If it is shorter than planned, the state says how it ended.",
        "s",
        `(max(${last("plimsoll_run_end_time_seconds")}) or 0 * ${start} + time()) - ${start}`,
      ),
      figure(
        "Requests",
        "Since the run's start, to the last one. If it is lower than planned, see Iterations: due and done.",
        "short",
        total("http_reqs"),
      ),
      figure(
        "p95",
        "95 of 100 requests since the run's start were as fast or faster. If it is above your threshold, see Endpoints for which ones, and the dashboard Correlation for why.",
        "s",
        wholeQuantile(0.95, duration),
      ),
      figure(
        "Requests failed",
        "Share of all requests since the run's start, from counters. If it is not 0, see Failed requests by status.",
        "percentunit",
        totalShare("http_req_failed"),
        { decimals: 2, thresholds: [0.001, 0.01] },
      ),
      figure(
        "Checks failed",
        "Share of all checks since the run's start. If it is not 0, the table of checks says which.",
        "percentunit",
        `1 - ${totalShare("checks")}`,
        { decimals: 2, thresholds: [0.001, 0.01], noValue: "no checks" },
      ),
      figure(
        "Thresholds failed",
        "Known when the run is over; one that several generators share counts once. If it is not 0, the table of thresholds says which.",
        "none",
        `sum(1 - min by (metric, threshold) (${last("plimsoll_threshold_ok")}))`,
        { thresholds: [1, 1], noValue: "known at the end" },
      ),
      figure(
        "Newest sample",
        "How old the run's newest point is. If it is above 15 s while the run goes on, samples do not arrive: see the dashboard Pipeline. After five minutes without one it is no longer known: State says whether the run is over.",
        "s",
        age,
        { thresholds: [5, 15], noValue: "over, or none for 5 min", decimals: 1 },
      ),
    ],
  };
}

/** k6 counts its VUs every second, so their series is never without a new sample. */
const age = `time() - max(timestamp(${k6("vus")}{${ofRun}}) or timestamp(${k6("http_reqs_total")}{${ofRun}}))`;

function loadSection(): Section {
  const done = perSecond("iterations");
  const dropped = orZero(perSecond("dropped_iterations"), done);
  return {
    title: "Load",
    panels: [
      timeseries({
        title: "Virtual users",
        description:
          "VUs that run, and those that k6 has made ready. If all that are ready run while iterations are dropped, give the scenario more VUs (maxVUs).",
        unit: "none",
        min: 0,
        queries: [
          { expr: `sum(${k6("vus")}{${ofRun}})`, legend: "running" },
          { expr: `sum(${k6("vus_max")}{${ofRun}})`, legend: "ready" },
        ],
      }),
      timeseries({
        title: "Requests per second",
        description:
          "Requests done, those that failed among them. If the rate falls while the VUs stay, the system answers more slowly: see Latency.",
        unit: "reqps",
        min: 0,
        queries: [
          { expr: perSecond("http_reqs"), legend: "done" },
          {
            expr: perSecond("http_req_failed", `${ofRun}, condition="nonzero"`),
            legend: "failed",
          },
        ],
      }),
      timeseries({
        title: "Iterations: due and done",
        description:
          "Iterations done, those dropped because no VU was free (arrival-rate executors), and both together, which were due. If due and done part, the load was not the one you planned: more VUs, a stronger generator, or a system at its limit. Executors with a number of VUs drop none: there a slow system is asked less often, and only Requests per second shows it. Iterations that are under way are in neither.",
        unit: "ops",
        min: 0,
        queries: [
          { expr: `${done} + ${dropped}`, legend: "due" },
          { expr: done, legend: "done" },
          { expr: dropped, legend: "dropped" },
        ],
      }),
      timeseries({
        title: "Requests in flight",
        description:
          "How many requests are under way at once: seconds of request per second, by Little's law. If it grows while the rate does not, requests queue somewhere.",
        unit: "none",
        min: 0,
        queries: [{ expr: secondsPerSecond(duration), legend: "in flight" }],
      }),
      timeseries({
        title: "Data volume",
        description:
          "Bytes that the generator sent and received. If it nears what the network can carry, the network is what you measure.",
        unit: "Bps",
        min: 0,
        queries: [
          { expr: perSecond("data_received"), legend: "received" },
          { expr: perSecond("data_sent"), legend: "sent" },
        ],
      }),
      timeseries({
        title: "Age of the newest sample",
        description:
          "How far the store is behind the run. If it grows, samples do not arrive: see the dashboard Pipeline.",
        unit: "s",
        min: 0,
        queries: [{ expr: age, legend: "age" }],
        thresholds: [5, 15],
        softMax: 20,
      }),
    ],
  };
}

function latencySection(): Section {
  return {
    title: "Latency",
    panels: [
      timeseries({
        title: "Request duration",
        description:
          "Quantiles over all requests of the window, from histograms. If p99 leaves p50 behind, some requests wait for something: see the heat map, and Duration by endpoint.",
        unit: "s",
        min: 0,
        queries: [
          { expr: quantile(0.5, duration), legend: "p50" },
          { expr: quantile(0.95, duration), legend: "p95" },
          { expr: quantile(0.99, duration), legend: "p99" },
        ],
      }),
      heatmap({
        title: "Request durations",
        description:
          "How many requests took how long. If there are two bands, there are two kinds of requests or of answers: a cache and its misses, a wait and none.",
        unit: "s",
        queries: [{ expr: buckets(duration), legend: "{{le}}" }],
        maxDataPoints: 200,
      }),
      timeseries({
        title: "Duration by endpoint",
        description:
          "p95 by the request's name. If one rises alone, look at what it does; if all rise, at what they share.",
        unit: "s",
        min: 0,
        queries: [{ expr: quantile(0.95, duration, ofRun, ["name"]), legend: "{{name}}" }],
        compactLegend: true,
      }),
    ],
  };
}

const phases = ["blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving"];

function timeSection(): Section {
  return {
    title: "Errors, and where the time goes",
    panels: [
      timeseries({
        title: "Failed share",
        description:
          "Requests that failed and checks that did not pass, of those in the window, from counters. If it rises with the load, the system is past what it can do.",
        unit: "percentunit",
        min: 0,
        queries: [
          { expr: share("http_req_failed"), legend: "requests" },
          { expr: `1 - (${share("checks")})`, legend: "checks" },
        ],
      }),
      timeseries({
        title: "Failed requests by status",
        description:
          "By HTTP status, and by k6's error code where there was no answer (status 0): 1050 is a time-out, 1212 a refused connection, 1220 a reset one. If it is 5xx, read the application's log; if 0, look at the network and at limits on connections.",
        unit: "reqps",
        min: 0,
        stacked: true,
        noValue: "none failed",
        queries: [
          {
            expr: `sum by (status, error_code) (rate(${k6("http_reqs_total")}{${ofRun}, expected_response="false"}[$__rate_interval]))`,
            legend: "{{status}} ({{error_code}})",
          },
        ],
      }),
      timeseries({
        title: "Where the time goes",
        description:
          "Mean time of a request in each of its phases. If blocked or connecting is large, connections are not reused; if waiting is, the server takes it; if receiving is, answers are large or the network is slow.",
        unit: "s",
        min: 0,
        stacked: true,
        compactLegend: true,
        queries: phases.map((phase) => ({
          expr: `(${secondsPerSecond(`http_req_${phase}`)}) / ${perSecond("http_reqs")}`,
          legend: phase.replace("tls_handshaking", "TLS"),
        })),
      }),
    ],
  };
}

function tablesSection(): Section {
  const endpoint = ["name", "method"];
  return {
    title: "Endpoints, checks and thresholds",
    panels: [
      table({
        title: "Endpoints",
        description:
          "Since the run's start, by the request's name and method, the slowest first. If a name holds ids, there is a row for each of them: give such requests a name in the script.",
        unit: "s",
        width: 24,
        height: 9,
        queries: [
          { refId: "requests", legend: "requests", expr: total("http_reqs", ofRun, endpoint) },
          ...[0.5, 0.95, 0.99].map((q) => ({
            refId: `p${q * 100}`,
            legend: `p${q * 100}`,
            expr: wholeQuantile(q, duration, ofRun, endpoint),
          })),
          { refId: "failed", legend: "failed", expr: totalShare("http_req_failed", endpoint) },
        ],
        transformations: [
          merged(),
          columns({
            name: "Name",
            method: "Method",
            "Value #requests": "Requests",
            "Value #p50": "p50",
            "Value #p95": "p95",
            "Value #p99": "p99",
            "Value #failed": "Failed",
          }),
        ],
        overrides: [
          named("Requests", { unit: "short" }),
          named("Failed", { unit: "percentunit", decimals: 2 }),
          named("p95", {
            "custom.cellOptions": { type: "gauge", mode: "gradient" },
            "custom.width": 260,
            // Of this column, not of all numbers in the table.
            fieldMinMax: true,
            min: 0,
            color: { mode: "fixed", fixedColor: "blue" },
          }),
          named("Name", { "custom.minWidth": 180 }),
        ],
        sortBy: { field: "p95" },
      }),
      table({
        title: "Thresholds",
        description:
          "The script's thresholds, as k6 judged them at the run's end. If one failed, the metric's name says where to look above.",
        unit: "none",
        width: 12,
        noValue: "known at the end of the run",
        mappings: passedMappings,
        queries: [
          {
            refId: "ok",
            legend: "result",
            expr: `min by (metric, threshold) (${last("plimsoll_threshold_ok")})`,
          },
        ],
        transformations: [
          columns({
            metric: "Metric",
            threshold: "Threshold",
            Value: "Result",
          }),
        ],
        overrides: [named("Result", { "custom.cellOptions": { type: "color-text" } })],
        sortBy: { field: "Result", descending: false },
      }),
      table({
        title: "Checks",
        description:
          "Since the run's start, the worst first. If one never passes, is the check right? If it passes less often than others, see when, in Failed share.",
        unit: "short",
        width: 12,
        noValue: "the script has none",
        queries: [
          ...["nonzero", "zero"].map((condition) => ({
            refId: condition,
            legend: condition,
            expr: total("checks", `${ofRun}, condition="${condition}"`, ["check"]),
          })),
          { refId: "share", legend: "share", expr: totalShare("checks", ["check"]) },
        ],
        transformations: [
          merged(),
          columns({
            check: "Check",
            "Value #nonzero": "Passed",
            "Value #zero": "Failed",
            "Value #share": "Share passed",
          }),
        ],
        overrides: [named("Share passed", { unit: "percentunit", decimals: 2 })],
        sortBy: { field: "Share passed", descending: false },
      }),
    ],
  };
}

function generatorSection(): Section {
  const host = 'instance=~"$generator_host"';
  return {
    title: "The generator's own health",
    panels: [
      timeseries({
        title: "Iterations dropped",
        description:
          "Of those that were due, the share that no VU was free for. If it is not 0, the load was lower than planned, and what you measured is of that lower load.",
        unit: "percentunit",
        min: 0,
        thresholds: [0.001, 0.01],
        queries: [
          {
            expr: `${orZero(perSecond("dropped_iterations"), perSecond("iterations"))} / (${perSecond("iterations")} + ${orZero(perSecond("dropped_iterations"), perSecond("iterations"))})`,
            legend: "dropped",
          },
        ],
      }),
      timeseries({
        title: "VUs in use",
        description:
          "Share of the VUs that are ready. If it is 1 for an arrival-rate executor, iterations wait or are dropped: raise maxVUs.",
        unit: "percentunit",
        min: 0,
        max: 1,
        queries: [
          {
            expr: `sum(${k6("vus")}{${ofRun}}) / sum(${k6("vus_max")}{${ofRun}})`,
            legend: "in use",
          },
        ],
      }),
      timeseries({
        title: "Iteration duration",
        description:
          "Of whole iterations, the script's own pauses included. If it rises more than the requests' does, the script or the generator is what takes the time.",
        unit: "s",
        min: 0,
        queries: [
          { expr: quantile(0.5, "iteration_duration"), legend: "p50" },
          { expr: quantile(0.95, "iteration_duration"), legend: "p95" },
        ],
      }),
      timeseries({
        title: "CPU of the generator's host",
        description:
          "Share of its cores that is busy, by node_exporter; choose the host above. If it is over 0.8, durations include the generator's own queue: use a stronger machine, or several.",
        unit: "percentunit",
        min: 0,
        max: 1,
        thresholds: [0.8, 0.95],
        noValue: "no node_exporter",
        queries: [
          {
            expr: busyCores(host),
            legend: "{{instance}}",
          },
        ],
      }),
      ...generatorHealth("not known of an ingested file"),
    ],
  };
}

export function run(): DashboardFile {
  return dashboard({
    name: "run",
    title: "Run",
    description:
      "One run, live or later: the load, what clients saw of it, where their time went, and the generator's own health.",
    from: "now-15m",
    refresh: "5s",
    variables: [
      testVariable(),
      runVariable(),
      histogramVariable(),
      labelVariable({
        name: "generator_host",
        label: "Generator's host",
        description: "The node_exporter of the machine that makes the load.",
        query: "label_values(node_uname_info, instance)",
        multiple: true,
      }),
    ],
    annotations: runAnnotations(),
    sections: [
      figures(),
      loadSection(),
      latencySection(),
      timeSection(),
      tablesSection(),
      generatorSection(),
    ],
  });
}

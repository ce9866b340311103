/**
 * Fleet: the generators of one run beside each other, by zone and one by one: which of them is not like the others.
 *
 * A generator is told apart by `instance_id` and `load_zone` (`--tag`). A run of one generator without them is a fleet
 * of one, in no zone.
 */
import { runAnnotations } from "./annotations.ts";
import { dashboard, type DashboardFile, type Section } from "./dashboard.ts";
import { named, stat, table, timeseries, type Panel } from "./panel.ts";
import { k6, last, ofRun, perSecond, quantile, share, wholeQuantile } from "./promql.ts";
import { columns, merged } from "./transformations.ts";
import { histogramVariable, runVariable, testVariable } from "./variables.ts";

const generator = ["instance_id", "load_zone"];
const byGenerator = `by (${generator.join(", ")})`;
const duration = "http_req_duration";

/** What a generator that was given no name, or no zone, is called. */
const zone = (expr: string): string =>
  `label_replace(${expr}, "load_zone", "(no zone)", "load_zone", "")`;
const instance = (expr: string): string =>
  `label_replace(${zone(expr)}, "instance_id", "(no name)", "instance_id", "")`;

const generatorLegend = "{{instance_id}} {{load_zone}}";

/** k6 counts its VUs every second, so the series is never without a new sample while the generator lives. */
const vus = k6("vus");
const newest = `max ${byGenerator} (timestamp(${vus}{${ofRun}}))`;
const known = `group ${byGenerator} (${last(vus)})`;

/** Without a new sample for 15 s, and without an end. */
const silent = `${known} unless on (${generator.join(", ")}) (last_over_time(${vus}{${ofRun}}[15s]) or ${last("plimsoll_run_end_time_seconds")})`;

/** How many times the median of all generators; 1 for one like the others. */
const timesMedian = (expr: string): string => `${expr} / scalar(quantile(0.5, ${expr}))`;

function figures(): readonly Panel[] {
  return [
    stat({
      title: "Generators",
      description:
        "Generators with samples in the time shown. If there are fewer than you started, the others never reached the store, or have the same instance_id.",
      unit: "none",
      width: 6,
      noValue: "0",
      queries: [{ expr: `count(${known})`, legend: "generators" }],
    }),
    stat({
      title: "Zones",
      description:
        "Different values of load_zone. If it is 1 and should be more, the generators were started without --tag load_zone=….",
      unit: "none",
      width: 6,
      noValue: "0",
      queries: [{ expr: `count(group by (load_zone) (${last(vus)}))`, legend: "zones" }],
    }),
    stat({
      title: "Silent generators",
      description:
        "Generators with no new sample for 15 s which did not say that they are done. If it is not 0, the table says which: see whether they live, and whether they reach the store.",
      unit: "none",
      width: 6,
      thresholds: [1, 1],
      queries: [{ expr: `count(${silent}) or vector(0)`, legend: "silent" }],
    }),
    stat({
      title: "Clock skew",
      description:
        "By how much the newest sample of the last generator is behind that of the first. If it is above 5 s, clocks differ or a generator delivers late: curves of the zones are shifted against each other.",
      unit: "s",
      width: 6,
      decimals: 1,
      thresholds: [5, 15],
      noValue: "over, or none for 5 min",
      queries: [{ expr: `max(${newest}) - min(${newest})`, legend: "skew" }],
    }),
  ];
}

function zoneSection(): Section {
  const by = ["load_zone"];
  const legend = "{{load_zone}}";
  return {
    title: "By zone",
    panels: [
      timeseries({
        title: "Requests per second",
        description:
          "By load_zone, on top of each other. If a zone's share is not the one you planned, look at its VUs and its dropped iterations.",
        unit: "reqps",
        min: 0,
        stacked: true,
        width: 6,
        queries: [{ expr: zone(perSecond("http_reqs", ofRun, by)), legend }],
      }),
      timeseries({
        title: "Virtual users",
        description:
          "By load_zone. If a zone falls to nothing before the others, its generators ended or died.",
        unit: "none",
        min: 0,
        stacked: true,
        width: 6,
        queries: [{ expr: zone(`sum by (load_zone) (${vus}{${ofRun}})`), legend }],
      }),
      timeseries({
        title: "Request duration",
        description:
          "p95 by load_zone. If one zone is slower by a constant, that is its way to the system; if it alone rises, its way or its generators have a problem.",
        unit: "s",
        min: 0,
        width: 6,
        queries: [{ expr: zone(quantile(0.95, duration, ofRun, by)), legend }],
      }),
      timeseries({
        title: "Failed share",
        description:
          "Failed requests of those in the window, by load_zone. If only one zone fails, look at what lies between it and the system.",
        unit: "percentunit",
        min: 0,
        width: 6,
        queries: [{ expr: zone(share("http_req_failed", ofRun, by)), legend }],
      }),
    ],
  };
}

function generatorSection(): Section {
  const failed = (matchers: string): string =>
    `sum ${byGenerator} (${last(k6("http_req_failed_total"), matchers)})`;
  const requests = `sum ${byGenerator} (${last(k6("http_reqs_total"))})`;
  const p95 = wholeQuantile(0.95, duration, ofRun, generator);
  const values = [
    ["requests", requests],
    ["times", timesMedian(requests)],
    ["p95", p95],
    ["slower", timesMedian(p95)],
    ["failed", `${failed(`${ofRun}, condition="nonzero"`)} / ${failed(ofRun)}`],
    ["vus", `max ${byGenerator} (${last(vus)})`],
    ["behind", `scalar(max(${newest})) - ${newest}`],
    ["silent", `${silent} or 0 * ${known}`],
  ] as const;
  return {
    title: "By generator",
    panels: [
      table({
        title: "Each generator",
        description:
          "Since the run's start, each against the median of all. Behind: its newest sample against the newest of all. If one did far fewer requests, or is far slower than the others, it measures itself: look at its host before you trust its figures.",
        unit: "none",
        width: 24,
        height: 9,
        queries: values.map(([refId, expr]) => ({ refId, legend: refId, expr: instance(expr) })),
        transformations: [
          merged(),
          columns({
            instance_id: "Generator",
            load_zone: "Zone",
            "Value #requests": "Requests",
            "Value #times": "Requests, × median",
            "Value #p95": "p95",
            "Value #slower": "p95, × median",
            "Value #failed": "Failed",
            "Value #vus": "VUs",
            "Value #behind": "Behind",
            "Value #silent": "Alive",
          }),
        ],
        overrides: [
          named("Requests", { unit: "short" }),
          named("Requests, × median", {
            "custom.width": 170,
            decimals: 2,
            ...colored([
              [null, "red"],
              [0.5, "orange"],
              [0.8, "green"],
              [1.25, "orange"],
              [2, "red"],
            ]),
          }),
          named("p95", { unit: "s" }),
          named("p95, × median", {
            decimals: 2,
            ...colored([
              [null, "green"],
              [1.5, "orange"],
              [2, "red"],
            ]),
          }),
          named("Failed", { unit: "percentunit", decimals: 2 }),
          named("Behind", {
            unit: "s",
            decimals: 1,
            ...colored([
              [null, "green"],
              [5, "orange"],
              [15, "red"],
            ]),
          }),
          named("Alive", {
            mappings: [
              {
                type: "value",
                options: {
                  "0": { text: "yes, or done", color: "green", index: 0 },
                  "1": { text: "silent", color: "red", index: 1 },
                },
              },
            ],
            "custom.cellOptions": { type: "color-text" },
          }),
        ],
        sortBy: { field: "p95, × median" },
      }),
      timeseries({
        title: "Requests per second of each generator",
        description:
          "If one is far below the others, its host is too weak, or its way to the system too slow.",
        unit: "reqps",
        min: 0,
        queries: [
          { expr: instance(perSecond("http_reqs", ofRun, generator)), legend: generatorLegend },
        ],
      }),
      timeseries({
        title: "Request duration of each generator",
        description:
          "p95. If one is far above the others of its zone, it measures itself: look at its CPU.",
        unit: "s",
        min: 0,
        queries: [
          { expr: instance(quantile(0.95, duration, ofRun, generator)), legend: generatorLegend },
        ],
      }),
      timeseries({
        title: "Clock skew of each generator",
        description:
          "By how much its newest sample is behind the newest of all. If it is constant, its clock is behind; if it grows, it delivers late or has fallen silent.",
        unit: "s",
        min: 0,
        thresholds: [5, 15],
        softMax: 20,
        queries: [
          { expr: instance(`scalar(max(${newest})) - ${newest}`), legend: generatorLegend },
        ],
      }),
    ],
  };
}

/** Properties of a field whose text has the colour of the range that its value is in. */
function colored(
  steps: readonly (readonly [from: number | null, color: string])[],
): Readonly<Record<string, unknown>> {
  return {
    color: { mode: "thresholds" },
    thresholds: { mode: "absolute", steps: steps.map(([value, color]) => ({ value, color })) },
    "custom.cellOptions": { type: "color-text" },
  };
}

export function fleet(): DashboardFile {
  return dashboard({
    name: "fleet",
    title: "Fleet",
    description:
      "The generators of one run beside each other, by zone and one by one: rate, VUs, latency, errors, clocks, and which of them has fallen silent.",
    from: "now-15m",
    refresh: "5s",
    variables: [testVariable(), runVariable(), histogramVariable()],
    annotations: runAnnotations(),
    sections: [{ panels: figures() }, zoneSection(), generatorSection()],
  });
}

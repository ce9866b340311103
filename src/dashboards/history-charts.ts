/**
 * A test's runs in the course of time: a point for each at its start, the band of the runs before it, and the releases.
 */
import { annotation } from "./annotations.ts";
import {
  bandRuns,
  failed,
  info,
  ofSlowest,
  ofTest,
  p95,
  p99,
  startQuery,
  throughput,
  vus,
} from "./history-runs.ts";
import { matching, named, timeseries, type Panel } from "./panel.ts";
import { band, columns, merged, sortedBy, times } from "./transformations.ts";

/** One mark for each value of the label `$release` of the runs, at the start of the first run that had it. */
export function releases(): ReturnType<typeof annotation> {
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
    description: `${description} The band is the mean of ${bandRuns} runs, this one and those before it, two standard deviations up and down.`,
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
      matching("/^(Upper|Lower)$/", {
        "custom.hideFrom": { legend: true, tooltip: false, viz: false },
      }),
      named("Upper", { "custom.fillBelowTo": "Lower", "custom.fillOpacity": 15 }),
    ],
  });
}

export function courses(): readonly Panel[] {
  return [
    course({
      title: "p95",
      description: `95 % of a run's requests took no longer than this. ${ofSlowest} If points leave the band, look at the release before them.`,
      unit: "s",
      expr: p95,
    }),
    course({
      title: "p99",
      description:
        `99 % of a run's requests took no longer than this. ${ofSlowest} If it grows and p95 does not, some requests wait: see ` +
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

/**
 * The courses of two runs over each other, as if both had begun at the same time: the load, what became of it, and the
 * resources behind it.
 */
import { named, timeseries, type Panel, type TimeseriesOptions } from "./panel.ts";
import { busyCores, orClassic, perSecond, quantile, share } from "./promql.ts";
import { moved, ofRunNamed, type RunName } from "./two-runs.ts";

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

export function courses(): readonly Panel[] {
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
  readonly softMax?: number;
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
    softMax: 1,
    expr: (at) => `sum(db_client_connection_pending_requests{job=~"$app"}${at})`,
  },
  {
    title: "CPU",
    description:
      "Busy share of the busiest host's CPU. If A's is near 100 %, the host is the limit: see what else ran on it.",
    unit: "percentunit",
    max: 1,
    expr: (at) => `max(${busyCores('instance=~"$host"', at)})`,
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
    softMax: 1,
    // The exporter leaves out what nobody does: none, while the database is up.
    expr: (at) =>
      `sum(pg_stat_activity_count{instance=~"$database", wait_event_type="Lock"}${at}) or 0 * sum(pg_up{instance=~"$database"}${at})`,
  },
];

export function resources(): readonly Panel[] {
  return systemResources.map(({ expr, ...options }) =>
    overlay({ ...options, width: 8, height: 7 }, (run) => expr(moved[run])),
  );
}

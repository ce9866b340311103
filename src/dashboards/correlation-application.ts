/**
 * Correlation's rows of both ends of the connection: the application with its pool, and the load generator.
 *
 * Metrics are OpenTelemetry's, as Prometheus spells them, and prom-client's.
 */
import { app, graph, rate, row } from "./correlation-row.ts";
import type { Section } from "./dashboard.ts";
import { perSecond, secondsPerSecond } from "./promql.ts";

export function applicationRow(): Section {
  const server = "http_server_request_duration_seconds";
  const client = "http_client_request_duration_seconds";
  return row("Application", [
    graph(
      "Requests answered",
      "By route, as the application counted them. If it is less than the clients send, requests wait before they reach it.",
      "reqps",
      [{ expr: rate(`${server}_count{${app}}`, "http_route"), legend: "{{http_route}}" }],
      { compactLegend: true },
    ),
    graph(
      "Duration of requests",
      "p95 by route, as the application measured it. If clients see much more than this, the time is lost before it: network, proxy, queue.",
      "s",
      [
        {
          expr: `histogram_quantile(0.95, ${rate(`${server}_bucket{${app}}`, "le, http_route")})`,
          legend: "{{http_route}}",
        },
      ],
      { compactLegend: true },
    ),
    graph(
      "Requests in the application",
      "How many it works on at once: mean by Little's law. If it grows without an end, it takes more than it can finish.",
      "none",
      [{ expr: rate(`${server}_sum{${app}}`, "instance"), legend: "{{instance}}" }],
    ),
    graph(
      "Event loop",
      "Use: share of the time in which the event loop worked; 1 is its limit. If it is above 0.9, requests wait for it: profile, move work off it, or add instances.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(nodejs_eventloop_time_seconds_total{${app}, nodejs_eventloop_state="active"}[$__rate_interval]))`,
          legend: "{{instance}}",
        },
      ],
      { max: 1, thresholds: [0.7, 0.9] },
    ),
    graph(
      "Event-loop delay",
      "Waiting: how late timers fire, p99 since the scrape before. If it is above a few tens of milliseconds, something blocks the loop.",
      "s",
      [
        {
          expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${app}})`,
          legend: "{{instance}}",
        },
      ],
    ),
    graph(
      "Garbage collection",
      "Share of the time that it takes, by kind. If it is above 0.05, memory is short or churned; see Memory of processes.",
      "percentunit",
      [{ expr: rate(`nodejs_gc_duration_seconds_sum{${app}}`, "kind"), legend: "{{kind}}" }],
      { stacked: true, thresholds: [0.05, 0.15] },
    ),
    graph(
      "Heap",
      "Use and limit of the V8 heap. If use stays near the limit after collections, memory leaks: take a heap snapshot.",
      "bytes",
      [
        {
          expr: `sum by (instance) (nodejs_heap_size_used_bytes{${app}})`,
          legend: "used {{instance}}",
        },
        {
          expr: `sum by (instance) (v8js_memory_heap_limit_bytes{${app}})`,
          legend: "limit {{instance}}",
        },
      ],
    ),
    graph(
      "Duration of calls to dependencies",
      "Mean by server. If it rises with the clients' latency, the answer is there, not here.",
      "s",
      [
        {
          expr: `${rate(`${client}_sum{${app}}`, "server_address")} / ${rate(`${client}_count{${app}}`, "server_address")}`,
          legend: "{{server_address}}",
        },
      ],
    ),
    graph(
      "Calls to dependencies at once",
      "Waiting: requests of ours that wait for another service, mean by Little's law. If it grows, set a time-out and a limit.",
      "none",
      [{ expr: rate(`${client}_sum{${app}}`, "server_address"), legend: "{{server_address}}" }],
    ),
  ]);
}

export function poolRow(): Section {
  const pool = "db_client_connection_pool_name";
  return row("Connection pool", [
    graph(
      "Connections in use and their limit",
      "Use and limit, by pool. If use is at the limit while clients wait, the pool is too small or its connections are held for too long.",
      "none",
      [
        {
          expr: `sum by (${pool}) (db_client_connection_count{${app}, db_client_connection_state="used"})`,
          legend: `in use {{${pool}}}`,
        },
        {
          expr: `sum by (${pool}) (db_client_connection_max{${app}})`,
          legend: `limit {{${pool}}}`,
        },
        {
          expr: `sum by (${pool}) (db_client_connection_count{${app}, db_client_connection_state="idle"})`,
          legend: `idle {{${pool}}}`,
        },
      ],
    ),
    graph(
      "Clients that wait for a connection",
      "Waiting: requests without a connection when it was scraped, and the mean over the window by Little's law, counted when they got one. If it is above 0 for long, the database is not the bottleneck: the pool is, or what its connections wait for.",
      "none",
      [
        {
          expr: `sum by (${pool}) (db_client_connection_pending_requests{${app}})`,
          legend: `waiting {{${pool}}}`,
        },
        {
          expr: rate(`db_client_connection_wait_time_seconds_sum{${app}}`, pool),
          legend: `mean {{${pool}}}`,
        },
      ],
      { softMax: 1 },
    ),
    graph(
      "Time to get, time held",
      "Mean time that a client waits for a connection, and for how long it keeps it. If getting takes longer than holding, the pool is the queue.",
      "s",
      [
        {
          expr: `${rate(`db_client_connection_wait_time_seconds_sum{${app}}`, pool)} / ${rate(`db_client_connection_wait_time_seconds_count{${app}}`, pool)}`,
          legend: `to get {{${pool}}}`,
        },
        {
          expr: `${rate(`db_client_connection_use_time_seconds_sum{${app}}`, pool)} / ${rate(`db_client_connection_use_time_seconds_count{${app}}`, pool)}`,
          legend: `held {{${pool}}}`,
        },
      ],
    ),
  ]);
}

export function generatorRow(): Section {
  return row("Load generator", [
    graph(
      "VUs and their limit",
      "Virtual users in use and the most that may be. If use is at the limit while iterations are dropped, the generator holds back: the load is less than planned.",
      "none",
      [
        { expr: `sum(k6_vus{testid="$testid"})`, legend: "VUs" },
        { expr: `sum(k6_vus_max{testid="$testid"})`, legend: "limit" },
      ],
    ),
    graph(
      "Iterations",
      "Done and dropped per second. If any are dropped, the load is less than the script asks for: give it more VUs, or take it as an answer.",
      "ops",
      [
        { expr: perSecond("iterations"), legend: "done" },
        {
          expr: `${perSecond("dropped_iterations")} or 0 * sum(k6_vus{testid="$testid"})`,
          legend: "dropped",
        },
      ],
    ),
    graph(
      "Time before sending",
      "Waiting: mean time in which requests were blocked, connected and shook hands. If it rises, the generator or the network is the bottleneck, not the application.",
      "s",
      ["blocked", "connecting", "tls_handshaking"].map((phase) => ({
        expr: `(${secondsPerSecond(`http_req_${phase}`)}) / ${perSecond("http_reqs")}`,
        legend: phase.replace("_", " "),
      })),
      { stacked: true },
    ),
  ]);
}

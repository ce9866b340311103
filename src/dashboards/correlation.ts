/**
 * Correlation: was it the database? The client's view on top, below it each resource in the order of a request's path,
 * on one time axis. Each row has use, limit and waiting.
 *
 * Metrics of applications are OpenTelemetry's, as Prometheus spells them; those of the rest are their exporters'.
 */
import { CustomVariableBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { annotation, runAnnotations } from "./annotations.ts";
import {
  answers,
  isSlow,
  isWaitedFor,
  noLimit,
  resources,
  shareOfSlowTime,
  slowShare,
  unexplained,
  waits,
} from "./attribution.ts";
import { dashboard, type DashboardFile, type Section } from "./dashboard.ts";
import {
  barGauge,
  named,
  stat,
  table,
  text,
  timeseries,
  type Panel,
  type Query,
  type TimeseriesOptions,
} from "./panel.ts";
import { ofRun, perSecond, quantile, secondsPerSecond, share } from "./promql.ts";
import { columns, merged, quotient } from "./transformations.ts";
import {
  histogramVariable,
  labelVariable,
  runVariable,
  systemVariables,
  testVariable,
  type Variable,
} from "./variables.ts";

/** Plimsoll's own metrics carry the run's id. */
const app = 'job=~"$app", testid=""';
const host = 'instance=~"$host"';
const database = 'instance=~"$database"';
const neighbour = 'instance=~"$neighbour"';

/** A rate over the window, summed by labels. */
const rate = (series: string, by = ""): string =>
  `sum${by === "" ? "" : ` by (${by})`} (rate(${series}[$__rate_interval]))`;

/** Steps of the ranking: 240 over the time shown, none finer than the stack's scrape interval. */
const rankingSteps = { maxDataPoints: 240, interval: "5s" } as const;

/** From where a share of the slow time is a suspicion, and from where it is the answer. */
const shareThresholds = [0.25, 0.5] as const;

function slowFactorVariable(): Variable {
  return new CustomVariableBuilder("slow_factor")
    .label("Slow above")
    .description("A moment is slow in which p95 is above this many times its lowest tenth.")
    .values("1.5 × : 1.5, 2 × : 2, 3 × : 3, 5 × : 5")
    .options(
      ["1.5", "2", "3", "5"].map((value) => ({
        text: `${value} ×`,
        value,
        selected: value === "2",
      })),
    )
    .current({ text: "2 ×", value: "2" });
}

function slowAboveVariable(): Variable {
  const limits = [
    { text: "no limit", value: String(noLimit) },
    ...["0.1", "0.25", "0.5", "1", "2", "5"].map((value) => ({ text: `${value} s`, value })),
  ];
  return new CustomVariableBuilder("slow_above")
    .label("or above")
    .description("A moment is also slow in which p95 is above this: for a run that was slow from its start.")
    .values(limits.map(({ text, value }) => `${text} : ${value}`).join(", "))
    .options(limits.map((limit, index) => ({ ...limit, selected: index === 0 })))
    .current({ text: "no limit", value: String(noLimit) });
}

function waitedStat(name: string, title: string, description: string): Panel {
  const resource = resources.find((candidate) => candidate.name === name);
  if (!resource) throw new Error(`no resource ${JSON.stringify(name)}`);
  return stat({
    title,
    description: `${description} A consequence of something else counts here too: the table ranks what answers for it. If it is red, open the resource's row.`,
    unit: "percentunit",
    decimals: 0,
    min: 0,
    max: 1,
    thresholds: shareThresholds,
    noValue: "not measured",
    width: 3,
    queries: [{ expr: shareOfSlowTime(isWaitedFor(resource)), legend: title }],
    ...rankingSteps,
  });
}

function answerSection(): Section {
  return {
    panels: [
      stat({
        title: "Slow time",
        description:
          "Share of the run in which the clients' p95 was above the chosen multiple of its lowest tenth, above the chosen limit, or in which nothing was answered. If it is near 0, either nothing was slow or all of it was, from the start: choose a limit at the top, or compare the run with a good one.",
        unit: "percentunit",
        decimals: 0,
        min: 0,
        max: 1,
        width: 3,
        queries: [{ expr: slowShare, legend: "slow" }],
        ...rankingSteps,
      }),
      waitedStat(
        "connection pool",
        "Waited for pool",
        "Share of the slow time in which clients waited for a connection: of those that needed one, 3 of 10 or more had none.",
      ),
      waitedStat(
        "locks",
        "Waited for locks",
        "Share of the slow time in which sessions of the database waited for a lock.",
      ),
      waitedStat(
        "CPU",
        "Out of CPU",
        "Share of the slow time in which the event loop, or all cores of a host, were busy for 9 of 10 seconds.",
      ),
      waitedStat(
        "disk",
        "Waited for disk",
        "Share of the slow time in which processes of a host waited for its disks for 3 of 10 seconds or more (PSI).",
      ),
      waitedStat(
        "memory",
        "Short of memory",
        "Share of the slow time in which garbage collection took more than 0.15 of the time, or waiting for pages more than 0.1.",
      ),
      waitedStat(
        "dependency",
        "Waited for others",
        "Share of the slow time in which calls to other services took more than twice their quiet time, and a third of the request's.",
      ),
      stat({
        title: "Unexplained",
        description:
          "Share of the slow time in which none of the resources was waited for. If it is high, what the clients waited for is not measured: a network, a cache, a service without metrics; or the load itself changed.",
        unit: "percentunit",
        decimals: 0,
        min: 0,
        max: 1,
        thresholds: shareThresholds,
        width: 3,
        queries: [{ expr: unexplained, legend: "unexplained" }],
        ...rankingSteps,
      }),
      table({
        title: "What answers for the slow time",
        description:
          "Each resource with the share of the slow time that it answers for: it was waited for, and nothing that would explain it was. Beside it the share in which it was waited for at all. Slow time below a tenth of the time shown counts as a tenth. If the first is above 50 %, start there; if none is above 25 %, look at Unexplained.",
        unit: "percentunit",
        width: 24,
        height: 10,
        decimals: 0,
        min: 0,
        max: 1,
        thresholds: shareThresholds,
        queries: [
          { expr: answers(), legend: "answers", refId: "answers" },
          { expr: waits(), legend: "waits", refId: "waits" },
        ],
        transformations: [
          { id: "joinByField", options: { byField: "resource", mode: "outer" } },
          {
            id: "organize",
            options: {
              excludeByName: { "Time 1": true, "Time 2": true, "advice 2": true },
              indexByName: { resource: 0, "Value #answers": 1, "Value #waits": 2, "advice 1": 3 },
              renameByName: {
                resource: "Resource",
                "Value #answers": "Answers for",
                "Value #waits": "Waited for in",
                "advice 1": "What to do",
              },
            },
          },
        ],
        overrides: [
          named("Answers for", {
            "custom.cellOptions": { type: "gauge", mode: "gradient" },
            "custom.width": 340,
          }),
          named("Waited for in", { "custom.width": 130 }),
          named("Resource", { "custom.width": 180 }),
        ],
        sortBy: { field: "Answers for" },
        ...rankingSteps,
      }),
    ],
  };
}

function clientSection(): Section {
  return {
    panels: [
      text({
        title: "How to read this",
        description:
          "How the table above comes about. If it does not fit your system, see docs/dashboards.md for the metrics that each resource needs.",
        markdown:
          "A moment is **slow** when p95 is above the chosen multiple of its lowest tenth. A resource **answers for** it when clients waited for it and nothing that would explain it was waited for: sessions that wait for a lock keep their connections, so the pool runs dry as well, and the answer is the lock. Each row below has use, limit and waiting, in the order of a request's path.",
      }),
      timeseries({
        title: "Latency that clients see",
        description:
          "Quantiles of the duration of all requests of the run, and where p95 counts as slow (right scale, 1 is slow). If it rises, look below for what rises with it.",
        unit: "s",
        queries: [
          { expr: quantile(0.5, "http_req_duration"), legend: "p50" },
          { expr: quantile(0.95, "http_req_duration"), legend: "p95" },
          { expr: quantile(0.99, "http_req_duration"), legend: "p99" },
          { expr: isSlow, legend: "slow" },
        ],
        min: 0,
        right: { fields: "/^slow$/", unit: "none" },
      }),
      timeseries({
        title: "Errors that clients see",
        description:
          "Share of failed requests and of failed checks in the window, from counters. If it is not 0, sort the errors by status on the Run dashboard.",
        unit: "percentunit",
        min: 0,
        queries: [
          { expr: share("http_req_failed"), legend: "requests failed" },
          { expr: `1 - (${share("checks")})`, legend: "checks failed" },
        ],
      }),
      timeseries({
        title: "Load",
        description:
          "Requests per second, and how many are in flight at once (right scale), by Little's law. If the rate falls while more are in flight, the system is saturated.",
        unit: "reqps",
        min: 0,
        queries: [
          { expr: perSecond("http_reqs"), legend: "requests" },
          { expr: secondsPerSecond("http_req_duration"), legend: "in flight" },
        ],
        right: { fields: "/^in flight$/", unit: "none" },
      }),
    ],
  };
}

/** Use, limit and waiting beside each other, a third of the width each. */
const row = (title: string, panels: readonly Panel[], collapsed = false): Section => ({
  title,
  panels,
  collapsed,
});

function graph(
  title: string,
  description: string,
  unit: string,
  queries: readonly Query[],
  more: Partial<TimeseriesOptions> = {},
): Panel {
  return timeseries({ title, description, unit, queries, min: 0, ...more });
}

function applicationRow(): Section {
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

function poolRow(): Section {
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

/** Without PgBouncer's own database, at which its exporter asks. */
const pooled = 'database!="pgbouncer"';
const noPgBouncer = "no metrics of pgbouncer_exporter";
const noMysql = "no metrics of mysqld_exporter";
const noRedis = "no metrics of redis_exporter";

function pgBouncerRow(): Section {
  // Clients know a database by the name under which PgBouncer has it, and each of its users has a pool of that size.
  const size = `label_replace(pgbouncer_databases_pool_size{${neighbour}}, "database", "$1", "name", "(.+)")`;
  const pools = `count by (instance, database) (pgbouncer_pools_server_active_connections{${neighbour}, ${pooled}})`;
  const poolLimit = `sum by (instance, database) (${size}) * on (instance, database) ${pools}`;
  return row(
    "PgBouncer",
    [
      graph(
        "Server connections and their limit",
        "Use and limit, by database; the limit is the pool size times the users that have a pool. If active ones are at the limit while clients wait, the pool is too small or the database too slow.",
        "none",
        [
          {
            expr: `sum by (instance, database) (pgbouncer_pools_server_active_connections{${neighbour}, ${pooled}})`,
            legend: "active {{database}} {{instance}}",
          },
          {
            expr: `sum by (instance, database) (pgbouncer_pools_server_idle_connections{${neighbour}, ${pooled}})`,
            legend: "idle {{database}} {{instance}}",
          },
          {
            expr: poolLimit,
            legend: "limit {{database}} {{instance}}",
          },
        ],
        { compactLegend: true, noValue: noPgBouncer },
      ),
      graph(
        "Clients that wait",
        "Waiting: clients that have sent a query and have no server connection yet. If it is above 0 for long, raise default_pool_size as far as Postgres allows.",
        "none",
        [
          {
            expr: `sum by (instance, database) (pgbouncer_pools_client_waiting_connections{${neighbour}, ${pooled}})`,
            legend: "waiting {{database}} {{instance}}",
          },
          {
            expr: `sum by (instance, database) (pgbouncer_pools_client_active_connections{${neighbour}, ${pooled}})`,
            legend: "active {{database}} {{instance}}",
          },
        ],
        { compactLegend: true, softMax: 1, noValue: noPgBouncer },
      ),
      graph(
        "Longest wait",
        "How long the oldest waiting client has waited. If it is above what a request may take, clients run into time-outs.",
        "s",
        [
          {
            expr: `max by (instance, database) (pgbouncer_pools_client_maxwait_seconds{${neighbour}, ${pooled}})`,
            legend: "{{database}} {{instance}}",
          },
        ],
        { softMax: 0.1, noValue: noPgBouncer },
      ),
    ],
    true,
  );
}

function postgresRow(): Section {
  // Last minus first: a rate would leave out a statement's first calls, if it had none before the time shown.
  const grown = (what: string): string => {
    const counter = `pg_stat_statements_${what}_total{${database}}`;
    const last = `sum by (queryid, datname) (${counter})`;
    return `(${last} - (sum by (queryid, datname) (${counter} offset $__range) or 0 * ${last}))`;
  };
  const slowest = `topk(10, ${grown("seconds")} > 0)`;
  const sessions = (label: string, matchers: string): string =>
    `sum by (${label}) (pg_stat_activity_count{${database}, backend_type="client backend"${matchers}})`;
  return row("Postgres", [
    graph(
      "Connections and their limit",
      "Sessions by state, and max_connections. If they come near the limit, new ones are refused: put a pool in front. Idle in transaction means that somebody holds locks and does nothing.",
      "none",
      [
        { expr: sessions("instance, state", ""), legend: "{{state}} {{instance}}" },
        {
          expr: `max by (instance) (pg_settings_max_connections{${database}})`,
          legend: "limit {{instance}}",
        },
      ],
    ),
    graph(
      "What sessions wait for",
      "Waiting: active sessions by what they wait for when scraped; without a wait they compute. Lock: other transactions. IO: the disk. LWLock: mostly the write-ahead log or buffers. If one dominates in the slow time, that is what to mend.",
      "none",
      [
        {
          expr: `label_replace(${sessions("wait_event_type", ', state="active"')}, "wait_event_type", "no wait", "wait_event_type", "")`,
          legend: "{{wait_event_type}}",
        },
      ],
      { stacked: true, compactLegend: true },
    ),
    graph(
      "Transactions",
      "Committed and rolled back, per second. If they fall while the load stays, the database is what slows down; if rollbacks rise, look at the application's errors.",
      "ops",
      [
        { expr: rate(`pg_stat_database_xact_commit{${database}}`), legend: "committed" },
        { expr: rate(`pg_stat_database_xact_rollback{${database}}`), legend: "rolled back" },
      ],
    ),
    graph(
      "Time of statements",
      "Mean time of a statement, waits for locks and the disk included; needs pg_stat_statements. If it rises, see which ones do in the table beside it.",
      "s",
      [
        {
          expr: `${rate(`pg_stat_statements_seconds_total{${database}}`)} / ${rate(`pg_stat_statements_calls_total{${database}}`)}`,
          legend: "mean",
        },
      ],
    ),
    table({
      title: "Slowest statements",
      description:
        "Those that took the most time, over the time shown; needs pg_stat_statements. If one is far above the rest, look up its text by its queryid and explain its plan.",
      unit: "s",
      width: 16,
      queries: [
        {
          expr: slowest,
          legend: "total",
          refId: "total",
        },
        {
          expr: `${grown("calls")} and on (queryid, datname) ${slowest}`,
          legend: "calls",
          refId: "calls",
        },
      ],
      transformations: [
        merged(),
        quotient("Value #total", "Value #calls", "Mean"),
        columns({
          queryid: "Query id",
          datname: "Database",
          "Value #total": "Total time",
          "Value #calls": "Calls",
          Mean: "Mean",
        }),
      ],
      overrides: [named("Calls", { unit: "short", decimals: 0 })],
      sortBy: { field: "Total time" },
    }),
    graph(
      "Cache hits",
      "Share of the blocks that were found in Postgres' own cache. If it falls below 0.99 under load, the working set does not fit: raise shared_buffers, or look for a scan of a big table.",
      "percentunit",
      [
        {
          expr: `${rate(`pg_stat_database_blks_hit{${database}}`)} / (${rate(`pg_stat_database_blks_hit{${database}}`)} + ${rate(`pg_stat_database_blks_read{${database}}`)})`,
          legend: "hits",
        },
      ],
      { max: 1 },
    ),
    barGauge({
      title: "Locks held",
      description:
        "Locks by mode, held or waited for, at the end of the time shown. If accessexclusivelock is among them, somebody locks whole tables: a migration, a vacuum full, an explicit lock.",
      unit: "none",
      min: 0,
      queries: [
        { expr: `sum by (mode) (pg_locks_count{${database}})`, legend: "{{mode}}" },
      ],
    }),
    graph(
      "Deadlocks and conflicts",
      "Per second. If it is above 0, transactions take the same rows in different orders: sort them.",
      "ops",
      [
        { expr: rate(`pg_stat_database_deadlocks{${database}}`), legend: "deadlocks" },
        { expr: rate(`pg_stat_database_conflicts{${database}}`), legend: "conflicts" },
      ],
      { softMax: 1 },
    ),
    graph(
      "Temporary files",
      "Bytes written per second by sorts and hashes that did not fit into work_mem. If it rises in the slow time, raise work_mem for these statements.",
      "Bps",
      [{ expr: rate(`pg_stat_database_temp_bytes{${database}}`), legend: "written" }],
    ),
    graph(
      "Longest transaction",
      "Age of the oldest transaction, by state. If one is idle in transaction for more than a second, find the code that left it open.",
      "s",
      [
        {
          expr: `max by (state) (pg_stat_activity_max_tx_duration{${database}, backend_type="client backend"})`,
          legend: "{{state}}",
        },
      ],
    ),
  ]);
}

function mysqlRow(): Section {
  return row(
    "MySQL",
    [
      graph(
        "Connections and their limit",
        "Use and limit. If use comes near the limit, clients are refused.",
        "none",
        [
          {
            expr: `sum by (instance) (mysql_global_status_threads_connected{${neighbour}})`,
            legend: "connected {{instance}}",
          },
          {
            expr: `sum by (instance) (mysql_global_status_threads_running{${neighbour}})`,
            legend: "running {{instance}}",
          },
          {
            expr: `sum by (instance) (mysql_global_variables_max_connections{${neighbour}})`,
            legend: "limit {{instance}}",
          },
        ],
        { noValue: noMysql },
      ),
      graph(
        "Waiting for row locks",
        "Waiting: row locks that had to be waited for per second. If it rises, find the transactions that hold them.",
        "ops",
        [{ expr: rate(`mysql_global_status_innodb_row_lock_waits{${neighbour}}`, "instance"), legend: "waits {{instance}}" }],
        { noValue: noMysql, softMax: 1 },
      ),
      graph(
        "Queries",
        "Per second, and those that were slow. If slow ones rise, read the slow-query log.",
        "ops",
        [
          { expr: rate(`mysql_global_status_queries{${neighbour}}`, "instance"), legend: "queries {{instance}}" },
          { expr: rate(`mysql_global_status_slow_queries{${neighbour}}`, "instance"), legend: "slow {{instance}}" },
        ],
        { noValue: noMysql },
      ),
    ],
    true,
  );
}

function redisRow(): Section {
  const hits = rate(`redis_keyspace_hits_total{${neighbour}}`, "instance");
  const misses = rate(`redis_keyspace_misses_total{${neighbour}}`, "instance");
  return row(
    "Redis",
    [
      graph(
        "Memory and its limit",
        "Use and limit (0: none). If use is at the limit, keys are evicted or writes fail.",
        "bytes",
        [
          {
            expr: `sum by (instance) (redis_memory_used_bytes{${neighbour}})`,
            legend: "used {{instance}}",
          },
          {
            expr: `sum by (instance) (redis_memory_max_bytes{${neighbour}})`,
            legend: "limit {{instance}}",
          },
        ],
        { noValue: noRedis },
      ),
      graph(
        "Clients that wait",
        "Waiting: clients blocked in a command, and connections refused per second at the limit (right scale). If they rise, raise maxclients or look for slow commands.",
        "none",
        [
          {
            expr: `sum by (instance) (redis_blocked_clients{${neighbour}})`,
            legend: "blocked {{instance}}",
          },
          { expr: rate(`redis_rejected_connections_total{${neighbour}}`, "instance"), legend: "refused {{instance}}" },
        ],
        { right: { fields: "/^refused/", unit: "ops" }, noValue: noRedis, softMax: 1 },
      ),
      graph(
        "Commands",
        "Per second, and the share of reads that found their key. If hits fall in the slow time, the database gets what the cache should have.",
        "ops",
        [
          { expr: rate(`redis_commands_processed_total{${neighbour}}`, "instance"), legend: "commands {{instance}}" },
          {
            expr: `${hits} / (${hits} + ${misses})`,
            legend: "hits {{instance}}",
          },
        ],
        { right: { fields: "/^hits/", unit: "percentunit" }, noValue: noRedis },
      ),
    ],
    true,
  );
}

/** What processes say of themselves: those of the application, and Plimsoll's for the run; no others are scraped for it. */
function ofProcesses(series: string, sum: (series: string, by: string) => string): string {
  return [app, ofRun].map((matcher) => sum(`${series}{${matcher}}`, "job, instance")).join(" or ");
}

function hostCpuRow(): Section {
  return row("Host CPU", [
    graph(
      "Cores in use",
      "Use and limit: cores that are busy, by mode, and how many there are. If use is at the limit, whatever else is slow is slow because of it.",
      "none",
      [
        {
          expr: `sum by (mode) (rate(node_cpu_seconds_total{${host}, mode!~"idle|iowait"}[$__rate_interval]))`,
          legend: "{{mode}}",
        },
        {
          expr: `count(node_cpu_seconds_total{${host}, mode="idle"})`,
          legend: "limit",
        },
      ],
      {
        stacked: true,
        compactLegend: true,
        overrides: [
          named("limit", {
            "custom.stacking": { mode: "none" },
            "custom.fillOpacity": 0,
            "custom.lineStyle": { fill: "dash", dash: [6, 4] },
          }),
        ],
      },
    ),
    graph(
      "CPU pressure",
      "Waiting: share of the time in which some process wanted a core and had none (PSI). If it is above 0.5, add cores or take load off.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(node_pressure_cpu_waiting_seconds_total{${host}}[$__rate_interval]))`,
          legend: "{{instance}}",
        },
      ],
      { max: 1, thresholds: [0.5, 0.8] },
    ),
    graph(
      "Processes' CPU",
      "Cores that each process of the application uses, and Plimsoll where it is scraped. If one stands out, profile it.",
      "none",
      [{ expr: ofProcesses("process_cpu_seconds_total", rate), legend: "{{job}} {{instance}}" }],
      { compactLegend: true },
    ),
  ]);
}

function hostMemoryRow(): Section {
  return row("Host memory", [
    graph(
      "Memory and its limit",
      "Use and limit. If use comes near the limit, the kernel drops caches, then swaps, then kills.",
      "bytes",
      [
        {
          expr: `sum by (instance) (node_memory_MemTotal_bytes{${host}} - node_memory_MemAvailable_bytes{${host}})`,
          legend: "used {{instance}}",
        },
        {
          expr: `sum by (instance) (node_memory_MemTotal_bytes{${host}})`,
          legend: "limit {{instance}}",
        },
      ],
    ),
    graph(
      "Memory pressure",
      "Waiting: share of the time in which some process waited for a page (PSI). If it is above 0.1, memory is short.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(node_pressure_memory_waiting_seconds_total{${host}}[$__rate_interval]))`,
          legend: "{{instance}}",
        },
      ],
      { thresholds: [0.05, 0.1] },
    ),
    graph(
      "Memory of processes",
      "Resident memory of each process of the application, and of Plimsoll where it is scraped. If one only grows, it leaks.",
      "bytes",
      [
        {
          expr: ofProcesses("process_resident_memory_bytes", (series, by) => `sum by (${by}) (${series})`),
          legend: "{{job}} {{instance}}",
        },
      ],
      { compactLegend: true },
    ),
  ]);
}

function diskRow(): Section {
  return row("Host disk", [
    graph(
      "Busy",
      "Use: share of the time in which the device had something to do; 1 is the limit of a single disk, not of an array. If it is at 1 in the slow time, see who writes.",
      "percentunit",
      [
        {
          expr: `max by (instance, device) (rate(node_disk_io_time_seconds_total{${host}}[$__rate_interval])) > 0.001`,
          legend: "{{instance}} {{device}}",
        },
      ],
      { max: 1 },
    ),
    graph(
      "Disk pressure",
      "Waiting: share of the time in which some process waited for the disk (PSI), and the mean number of requests in the device's queue (right scale). If it is above 0.3, commits and scans are slow.",
      "percentunit",
      [
        {
          expr: `max by (instance) (rate(node_pressure_io_waiting_seconds_total{${host}}[$__rate_interval]))`,
          legend: "pressure {{instance}}",
        },
        {
          expr: `sum by (instance) (rate(node_disk_io_time_weighted_seconds_total{${host}}[$__rate_interval]))`,
          legend: "queue {{instance}}",
        },
      ],
      { thresholds: [0.1, 0.3], right: { fields: "/^queue/", unit: "none" } },
    ),
    graph(
      "Read and written",
      "Bytes per second. If writes rise with the latency, find out whether they are the database's: its log, its checkpoints, temporary files.",
      "Bps",
      [
        { expr: rate(`node_disk_read_bytes_total{${host}}`), legend: "read" },
        { expr: rate(`node_disk_written_bytes_total{${host}}`), legend: "written" },
      ],
    ),
  ]);
}

function networkRow(): Section {
  const device = 'device!~"lo|veth.*|docker.*|br-.*"';
  return row(
    "Host network",
    [
      graph(
        "Received and sent",
        "Use and limit: bytes per second by all devices of a host but its own loops and bridges, and the speed of its lines, where they have one; virtual ones do not. If use is near the limit, the network is what is slow.",
        "Bps",
        [
          {
            expr: rate(`node_network_receive_bytes_total{${host}, ${device}}`, "instance"),
            legend: "received {{instance}}",
          },
          {
            expr: rate(`node_network_transmit_bytes_total{${host}, ${device}}`, "instance"),
            legend: "sent {{instance}}",
          },
          {
            expr: `sum by (instance) (node_network_speed_bytes{${host}, ${device}} > 0)`,
            legend: "limit {{instance}}",
          },
        ],
      ),
      graph(
        "Connections",
        "TCP connections that are open, and those that are closed and kept for a while. If time_wait grows into the ten thousands, clients do not reuse their connections.",
        "none",
        [
          { expr: `sum(node_netstat_Tcp_CurrEstab{${host}})`, legend: "open" },
          { expr: `sum(node_sockstat_TCP_tw{${host}})`, legend: "time_wait" },
        ],
      ),
      graph(
        "Segments sent again, connections refused",
        "Waiting: each segment sent again costs a client at least 200 ms. If it rises in the slow time, packets are lost; if connections overflow, the application accepts too slowly.",
        "ops",
        [
          { expr: rate(`node_netstat_Tcp_RetransSegs{${host}}`), legend: "sent again" },
          {
            expr: rate(`node_netstat_TcpExt_ListenOverflows{${host}}`),
            legend: "listen queue full",
          },
        ],
        { softMax: 1 },
      ),
    ],
    true,
  );
}

function generatorRow(): Section {
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

export function correlation(): DashboardFile {
  return dashboard({
    name: "correlation",
    title: "Correlation",
    description:
      "Was it the database? What clients saw, and each resource of the system under test on the same time axis.",
    variables: [
      testVariable(),
      runVariable(),
      ...systemVariables(),
      labelVariable({
        name: "neighbour",
        label: "Neighbours",
        description: "Instances of the exporters of PgBouncer, MySQL and Redis.",
        query: 'label_values({__name__=~"pgbouncer_up|mysql_up|redis_up"}, instance)',
        multiple: true,
      }),
      histogramVariable(),
      slowFactorVariable(),
      slowAboveVariable(),
    ],
    annotations: [
      ...runAnnotations(),
      annotation({
        name: "Faults of the example shop",
        expr: "max by (fault) (shop_fault_active) == 1",
        title: "{{fault}}",
        text: "a fault of the example shop was switched on",
        color: "orange",
      }),
    ],
    sections: [
      answerSection(),
      clientSection(),
      applicationRow(),
      poolRow(),
      pgBouncerRow(),
      postgresRow(),
      mysqlRow(),
      redisRow(),
      hostCpuRow(),
      hostMemoryRow(),
      diskRow(),
      networkRow(),
      generatorRow(),
    ],
  });
}

/**
 * Correlation's rows of what the application asks: PgBouncer, Postgres, MySQL, Redis. Metrics are their exporters'.
 */
import { database, graph, neighbour, rate, row } from "./correlation-row.ts";
import type { Section } from "./dashboard.ts";
import { barGauge, named, table } from "./panel.ts";
import { columns, merged, quotient } from "./transformations.ts";

/** Without PgBouncer's own database, at which its exporter asks. */
const pooled = 'database!="pgbouncer"';
const noPgBouncer = "no metrics of pgbouncer_exporter";
const noMysql = "no metrics of mysqld_exporter";
const noRedis = "no metrics of redis_exporter";

export function pgBouncerRow(): Section {
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

export function postgresRow(): Section {
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
      queries: [{ expr: `sum by (mode) (pg_locks_count{${database}})`, legend: "{{mode}}" }],
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

export function mysqlRow(): Section {
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
        [
          {
            expr: rate(`mysql_global_status_innodb_row_lock_waits{${neighbour}}`, "instance"),
            legend: "waits {{instance}}",
          },
        ],
        { noValue: noMysql, softMax: 1 },
      ),
      graph(
        "Queries",
        "Per second, and those that were slow. If slow ones rise, read the slow-query log.",
        "ops",
        [
          {
            expr: rate(`mysql_global_status_queries{${neighbour}}`, "instance"),
            legend: "queries {{instance}}",
          },
          {
            expr: rate(`mysql_global_status_slow_queries{${neighbour}}`, "instance"),
            legend: "slow {{instance}}",
          },
        ],
        { noValue: noMysql },
      ),
    ],
    true,
  );
}

export function redisRow(): Section {
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
          {
            expr: rate(`redis_rejected_connections_total{${neighbour}}`, "instance"),
            legend: "refused {{instance}}",
          },
        ],
        { right: { fields: "/^refused/", unit: "ops" }, noValue: noRedis, softMax: 1 },
      ),
      graph(
        "Commands",
        "Per second, and the share of reads that found their key. If hits fall in the slow time, the database gets what the cache should have.",
        "ops",
        [
          {
            expr: rate(`redis_commands_processed_total{${neighbour}}`, "instance"),
            legend: "commands {{instance}}",
          },
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

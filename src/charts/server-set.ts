/**
 * The charts of the set `server`: the system under test while the run went on, as exporters measured it.
 *
 * Nothing of it belongs to a run: everything that the store has of that time is shown, as on the dashboard Correlation when
 * all applications, hosts and databases are chosen.
 */
import type { Chart, ChartSeries } from "./chart-data.ts";
import type { ChartPlan } from "./chart-plan.ts";
import type { RunQuestions } from "./run-questions.ts";

interface Line {
  /** `$window` is one that holds several scrapes. */
  readonly expr: string;
  /** With labels in double braces, as in Grafana. */
  readonly legend: string;
}

interface ServerChart extends Omit<Chart, "series"> {
  readonly lines: readonly Line[];
}

/** Of a chart, those that were highest; more nobody tells apart. */
const shownSeries = 10;

/** An application's own: the load generator's process has a testid. */
const app = 'testid=""';
const server = "http_server_request_duration_seconds";
const pool = "db_client_connection_pool_name";
const sessions = 'pg_stat_activity_count{backend_type="client backend"';

const charts: readonly ServerChart[] = [
  {
    id: "host_cpu",
    title: "CPU of the hosts",
    description:
      "Share of the cores that were busy: neither idle nor waiting for a disk. If it is near 100 % when the latency rises, the host is the limit.",
    unit: "ratio",
    lines: [
      {
        expr: '1 - avg by (instance) (sum by (instance, cpu) (rate(node_cpu_seconds_total{mode=~"idle|iowait"}[$window])))',
        legend: "{{instance}}",
      },
    ],
  },
  {
    id: "host_memory",
    title: "Memory of the hosts",
    description:
      "Share of the memory that is not available. If it grows all the time, something leaks; near 100 %, the host swaps or kills.",
    unit: "ratio",
    lines: [
      {
        expr: "max by (instance) (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
        legend: "{{instance}}",
      },
    ],
  },
  {
    id: "disk",
    title: "Disks of the hosts",
    description:
      "Share of the time in which the busiest disk had something to do. If it is near 100 %, look for what reads and writes.",
    unit: "ratio",
    lines: [
      {
        expr: "max by (instance) (rate(node_disk_io_time_seconds_total[$window]))",
        legend: "{{instance}}",
      },
    ],
  },
  {
    id: "network",
    title: "Network of the hosts",
    description:
      "Bytes per second, loopback left out. If a line is flat at the top while the load grows, the network is the limit.",
    unit: "bytes_per_second",
    lines: (["receive", "transmit"] as const).map((way) => ({
      expr: `sum by (instance) (rate(node_network_${way}_bytes_total{device!="lo"}[$window]))`,
      legend: `${way === "receive" ? "received" : "sent"}, {{instance}}`,
    })),
  },
  {
    id: "application",
    title: "Application, p95",
    description:
      "What the application itself measured, without the way to it. If the clients' p95 grew and this did not, look at the network, a proxy or the load generator.",
    unit: "seconds",
    lines: [
      {
        expr: `histogram_quantile(0.95, sum by (job, le) (rate(${server}_bucket{${app}}[$window])))`,
        legend: "{{job}}",
      },
    ],
  },
  {
    id: "event_loop",
    title: "Event loop of Node.js",
    description:
      "How late timers fire, p99. If it rises with the latency, something computes where it should wait.",
    unit: "seconds",
    lines: [
      {
        expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${app}})`,
        legend: "{{instance}}",
      },
    ],
  },
  {
    id: "pool",
    title: "Connection pools",
    description:
      "Connections of the application to its database that are in use, their limit, and requests that wait for one. If any wait, the pool is exhausted: find what holds connections longer.",
    unit: "count",
    lines: [
      {
        expr: `sum by (${pool}) (db_client_connection_count{${app}, db_client_connection_state="used"})`,
        legend: `in use, {{${pool}}}`,
      },
      {
        expr: `sum by (${pool}) (db_client_connection_max{${app}})`,
        legend: `limit, {{${pool}}}`,
      },
      {
        expr: `sum by (${pool}) (db_client_connection_pending_requests{${app}})`,
        legend: `waiting, {{${pool}}}`,
      },
      {
        expr: "sum by (database) (pgbouncer_pools_client_waiting_connections)",
        legend: "waiting for PgBouncer, {{database}}",
      },
    ],
  },
  {
    id: "database",
    title: "Database sessions",
    description:
      "Sessions that execute something, that wait for a lock, and that hold a transaction open and do nothing. If some wait for locks, find the transaction that holds them.",
    unit: "count",
    lines: [
      { expr: `sum by (instance) (${sessions}, state="active"})`, legend: "active, {{instance}}" },
      {
        expr: `sum by (instance) (${sessions}, wait_event_type="Lock"})`,
        legend: "waiting for a lock, {{instance}}",
      },
      {
        expr: `sum by (instance) (${sessions}, state=~"idle in transaction.*"})`,
        legend: "idle in transaction, {{instance}}",
      },
      {
        expr: "sum by (instance) (mysql_global_status_threads_running)",
        legend: "running in MySQL, {{instance}}",
      },
      {
        expr: "sum by (instance) (redis_blocked_clients)",
        legend: "blocked in Redis, {{instance}}",
      },
    ],
  },
  {
    id: "statements",
    title: "Statements",
    description:
      "Mean seconds of a statement in Postgres. If it rises, look for the slowest ones and their plans.",
    unit: "seconds",
    lines: [
      {
        expr: "sum by (instance) (rate(pg_stat_statements_seconds_total[$window])) / sum by (instance) (rate(pg_stat_statements_calls_total[$window]))",
        legend: "{{instance}}",
      },
    ],
  },
];

export const serverSet: readonly ChartPlan[] = charts.map(({ lines, ...chart }) => ({
  ...chart,
  series: async (questions) => {
    const window = await windowOf(questions);
    const drawn = await Promise.all(
      lines.map(async ({ expr, legend }) => {
        const courses = await questions.store.range(
          expr.replaceAll("$window", `${window}s`),
          questions.grid,
        );
        return courses.map(({ labels, values }) => ({
          name: legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? ""),
          values,
        }));
      }),
    );
    return highest(drawn.flat());
  },
}));

/**
 * Seconds over which rates are taken: four scrapes, as Grafana has it, at least a step. The interval of the scrapes is that
 * of the target that was scraped most often in the last minute; many charts ask, and it is asked once.
 */
async function windowOf({ store, span, grid }: RunQuestions): Promise<number> {
  const [scrapes] = await store.instant("max(count_over_time(up[1m]))", Math.ceil(span.to));
  const intervalSeconds = 60 / Math.max(1, scrapes?.value ?? 1);
  return Math.max(grid.step, 20, Math.ceil(4 * intervalSeconds));
}

function highest(series: readonly ChartSeries[]): readonly ChartSeries[] {
  if (series.length <= shownSeries) return series;
  const peaks = new Map(
    series.map((one) => [one, Math.max(...one.values.map((value) => value ?? -Infinity))]),
  );
  const kept = new Set(
    series.toSorted((a, b) => (peaks.get(b) ?? 0) - (peaks.get(a) ?? 0)).slice(0, shownSeries),
  );
  return series.filter((one) => kept.has(one));
}

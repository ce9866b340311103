/**
 * Which resource answers for the slow time of a run, in PromQL alone: no rule has to be recorded, so the question can
 * be put to any Prometheus that scraped the system while the run went on.
 *
 * **Slow** is a moment in which the clients' p95 is above `$slow_factor` times its lowest tenth over the run, or above
 * `$slow_above` seconds, or in which no request is answered at all.
 * **Waited for** is a resource, at a moment, whose signal is over its limit: clients wait for a connection, sessions wait
 * for a lock, the event loop has no time left. Each signal says why its limit is what it is.
 * **Answers for** a moment is a resource that is waited for while none of those is that explain it. While rows are locked
 * the sessions that wait keep their connections, so the pool runs dry as well; the answer is the lock.
 *
 * Every expression is for an instant query at the end of the time shown, with Grafana's `$__range` (the time shown),
 * `$__interval` (the step) and `$__rate_interval` (the window of a rate). This module imports nothing of Grafana's: the
 * demo and the tests ask the same.
 */
import { buckets, ofRun } from "./promql.ts";

/** What a resource is recognised by while it is waited for. */
interface Signal {
  readonly name: string;
  /** A value for each instance, pool, server: whichever is the worst decides. */
  readonly expr: string;
  /** It is waited for above this. */
  readonly above: number;
}

export interface Resource {
  /** As the table shows it. */
  readonly name: string;
  /** What to do when it answers for the slow time. */
  readonly advice: string;
  readonly signals: readonly Signal[];
  /** Names of the resources that explain it: while one of those is waited for, this one is a consequence. */
  readonly explainedBy: readonly string[];
}

/** Of the application, and not of Plimsoll itself, whose own metrics carry the run's id. */
const app = 'job=~"$app", testid=""';
const host = 'instance=~"$host"';
const database = 'instance=~"$database"';
const window = "[$__rate_interval]";

/** The clients' p95 of all requests, in seconds; nothing where no request was answered. */
const p95 = `(histogram_quantile(0.95, ${buckets("http_req_duration", ofRun)}) >= 0)`;

/** The lowest tenth of a value while the run went on: what it is when the system is quiet. */
const quiet = (expr: string): string =>
  `quantile_over_time(0.1, ((${expr}) >= 0 and on () ${p95})[$__range:$__interval] @ end())`;

/** By how much a value is above its quiet one, as a factor. */
const timesQuiet = (expr: string): string => `((${expr}) / (${quiet(expr)}))`;

/**
 * A share of a host's time, and 0 unless it is this many times its quiet one: a host that others keep busy all the time
 * is no reason why some of it was slow.
 */
const aboveQuiet = (expr: string, times: number): string =>
  `((${expr}) * (${timesQuiet(expr)} > bool ${times}))`;

/**
 * Mean number of a database's sessions over the window, also where its series come and go: absent counts as 0 wherever
 * the exporter answered.
 */
const sessions = (matchers: string): string => {
  const scrapes = `max by (instance) (count_over_time(pg_up{${database}}${window}))`;
  const sum = `sum by (instance) (sum_over_time(pg_stat_activity_count{${database}, ${matchers}}${window}))`;
  return `((${sum} or 0 * ${scrapes}) / ${scrapes})`;
};

/** Seconds per second that a histogram counted: the mean number of those that were at it. */
const atOnce = (histogram: string, by: string): string =>
  `sum by (${by}) (rate(${histogram}_sum{${app}}${window}))`;

const meanDuration = (histogram: string, by: string): string =>
  `(${atOnce(histogram, by)} / sum by (${by}) (rate(${histogram}_count{${app}}${window})))`;

/** A value where it makes up a good part of the time in which the application had requests, else 0. */
const whereItMatters = (value: string, timeAtOnce: string): string =>
  `(${value} * (${timeAtOnce} > bool 0.3 * scalar(sum(rate(http_server_request_duration_seconds_sum{${app}}${window})))))`;

const pool = "job, instance, db_client_connection_pool_name";
const poolWaiting = atOnce("db_client_connection_wait_time_seconds", pool);
const poolInUse = atOnce("db_client_connection_use_time_seconds", pool);

const dependencies = "http_client_request_duration_seconds";

const statements = `sum by (instance) (rate(pg_stat_statements_seconds_total{${database}}${window}))`;
const statementDuration = `(${statements} / sum by (instance) (rate(pg_stat_statements_calls_total{${database}}${window})))`;

const busySessions = sessions('state!="idle", backend_type="client backend"');
const idleInTransaction = 'state=~"idle in transaction.*"';
const waitingForLocks = sessions('wait_event_type="Lock"');

/** In the order of a request's path. */
export const resources: readonly Resource[] = [
  {
    name: "CPU",
    advice: "profile the application, add cores or instances; see Application and Host CPU",
    signals: [
      {
        name: "event loop",
        expr: `rate(nodejs_eventloop_time_seconds_total{${app}, nodejs_eventloop_state="active"}${window})`,
        // Above 0.9 the queue before a single server is, on average, longer than ten jobs (M/M/1: u / (1 - u)).
        above: 0.9,
      },
      {
        name: "cores",
        // What processes of low priority use is there for others, like what is idle.
        expr: aboveQuiet(
          `1 - avg by (instance) (sum by (instance, cpu) (rate(node_cpu_seconds_total{${host}, mode=~"idle|iowait|nice"}${window})))`,
          1.1,
        ),
        above: 0.9,
      },
    ],
    explainedBy: ["memory"],
  },
  {
    name: "memory",
    advice: "find what is retained, or raise the heap's limit; see Application and Host memory",
    signals: [
      {
        name: "garbage collection",
        expr: `sum by (job, instance) (rate(nodejs_gc_duration_seconds_sum{${app}}${window}))`,
        // The example shop: 0.01 in its quiet time, 0.3 to 0.6 when its heap is full.
        above: 0.15,
      },
      {
        name: "pressure",
        expr: `rate(node_pressure_memory_waiting_seconds_total{${host}}${window})`,
        // A host with memory to spare has none at all; a tenth of the time is swapping or dropping caches.
        above: 0.1,
      },
    ],
    explainedBy: [],
  },
  {
    name: "dependency",
    advice: "ask its owners, set a time-out, cache; see Application, calls to dependencies",
    signals: [
      {
        name: "duration",
        expr: whereItMatters(
          timesQuiet(meanDuration(dependencies, "server_address")),
          atOnce(dependencies, "server_address"),
        ),
        // As the clients' p95: twice what it is when all is quiet.
        above: 2,
      },
    ],
    explainedBy: ["CPU", "memory"],
  },
  {
    name: "connection pool",
    advice: "raise the pool's limit, or hold connections for less time; see Connection pool",
    signals: [
      {
        name: "clients",
        // Of those that need a connection, the share that has none. A pool with room has next to nobody waiting.
        expr: `${poolWaiting} / (${poolWaiting} + ${poolInUse})`,
        above: 0.3,
      },
    ],
    explainedBy: ["CPU", "memory", "locks", "idle transactions", "database statements", "disk"],
  },
  {
    name: "idle transactions",
    advice:
      "find the code that keeps a transaction open while it does something else; see Postgres",
    signals: [
      {
        name: "sessions",
        // Of the sessions that are not idle, and only where one has been at it for a second: in between two statements
        // every transaction is idle for a moment.
        expr: `(${sessions(idleInTransaction)} / ${busySessions}) * (max by (instance) (max_over_time(pg_stat_activity_max_tx_duration{${database}, ${idleInTransaction}}${window})) > bool 1)`,
        above: 0.5,
      },
    ],
    explainedBy: ["CPU", "memory"],
  },
  {
    name: "locks",
    advice: "find who holds the lock and for how long; see Postgres",
    signals: [
      {
        name: "sessions",
        // Of the sessions that are not idle, and half a session at least: rows that many update are waited for now and then.
        expr: `(${waitingForLocks} / ${busySessions}) * (${waitingForLocks} > bool 0.5)`,
        above: 0.3,
      },
    ],
    explainedBy: ["CPU", "memory", "disk", "idle transactions"],
  },
  {
    name: "database statements",
    advice: "look at the slowest statements and their plans; see Postgres",
    signals: [
      {
        name: "duration",
        expr: whereItMatters(timesQuiet(statementDuration), statements),
        // More than the clients' p95 has to be: while any resource is short, statements take a little longer as well.
        above: 3,
      },
    ],
    explainedBy: ["locks", "disk", "memory"],
  },
  {
    name: "disk",
    advice: "find who writes, or give the database a disk of its own; see Host disk",
    signals: [
      {
        name: "pressure",
        expr: aboveQuiet(`rate(node_pressure_io_waiting_seconds_total{${host}}${window})`, 1.25),
        // The example shop: below 0.1 in its quiet time, 0.4 and more while its disk is written full.
        above: 0.3,
      },
    ],
    explainedBy: ["memory"],
  },
];

/**
 * 1 in a slow moment, else 0: p95 is above the multiple of its quiet value, or above `$slow_above` seconds; or there are
 * virtual users who had answers before, and have none at all.
 */
export const isSlow: string = `(${p95} > bool scalar(clamp_max($slow_factor * ${quiet(p95)}, $slow_above)) or on () (sum(k6_vus{${ofRun}}) > bool 0) and on () sum(k6_http_reqs_total{${ofRun}}) > 0)`;

/** Share of the run that was slow, from 0 to 1. */
export const slowShare: string = `avg_over_time((${isSlow})[$__range:$__interval])`;

/** 1 while the resource is waited for, 0 while not, nothing where nothing measures it. */
export function isWaitedFor({ signals }: Resource): string {
  const all = signals.map(
    ({ name, expr, above }) =>
      `label_replace((${expr}) > bool ${above}, "signal", "${name}", "", "")`,
  );
  return `max(${all.join(" or ")})`;
}

/** 1 while the resource answers for the moment, 0 while not, nothing where nothing measures it. */
function answersFor(resource: Resource): string {
  const waited = isWaitedFor(resource);
  const reasons = resource.explainedBy.map((name) => `${isWaitedFor(named(name))} == 1`);
  const net = reasons.length === 0 ? waited : `${waited} == 1 unless (${reasons.join(" or ")})`;
  return reasons.length === 0 ? waited : `((${net}) or 0 * ${waited})`;
}

/**
 * Share of the slow time in which `moment` is 1, from 0 to 1. Slow time below a tenth of the time shown counts as a
 * tenth: two slow seconds in an hour, in which a resource was busy by chance, are no finding.
 */
export function shareOfSlowTime(moment: string): string {
  const slow = `sum_over_time((${isSlow})[$__range:$__interval])`;
  const tenth = `0.1 * scalar(count_over_time((${isSlow})[$__range:$__interval]))`;
  return `sum_over_time(((${moment}) * on () group_left () (${isSlow}))[$__range:$__interval]) / scalar(clamp_min(${slow}, ${tenth}))`;
}

/** For each resource, with the labels `resource` and `advice`: the share of the slow time that it answers for. */
export function answers(): string {
  return shareOfSlowTime(
    resources.map((resource) => labelled(resource, answersFor(resource))).join(" or "),
  );
}

/** For each resource, likewise: the share of the slow time in which it was waited for. */
export function waits(): string {
  return shareOfSlowTime(
    resources.map((resource) => labelled(resource, isWaitedFor(resource))).join(" or "),
  );
}

/** Share of the slow time for which no resource answers. */
export const unexplained: string = shareOfSlowTime(
  `1 - clamp_max(sum(${resources.map((resource) => labelled(resource, isWaitedFor(resource))).join(" or ")}), 1)`,
);

function labelled({ name, advice }: Resource, expr: string): string {
  return `label_replace(label_replace(${expr}, "resource", "${name}", "", ""), "advice", "${advice}", "", "")`;
}

function named(name: string): Resource {
  const resource = resources.find((candidate) => candidate.name === name);
  if (!resource) throw new Error(`no resource ${JSON.stringify(name)}`);
  return resource;
}

/** What Grafana fills into the expressions, for whoever asks without it. */
export interface Question {
  readonly testid: string;
  /** The time to look at, up to the time of the query, in whole seconds. */
  readonly rangeSeconds: number;
  /** The step, in whole seconds: that of the scrapes, or longer. */
  readonly stepSeconds: number;
  /** The window of rates, in whole seconds: four scrapes, so that one that fails leaves no hole. */
  readonly windowSeconds: number;
  /** How the store has trends. Default `native`. */
  readonly histograms?: "native" | "classic";
  /** A moment is slow above this many times the quiet p95. Default 2. */
  readonly slowFactor?: number;
  /** And above this p95, in seconds. Default: no such limit. */
  readonly slowAbove?: number;
}

/** Seconds that no request takes: `$slow_above` where only the multiple counts. */
export const noLimit = 1e9;

/** An expression of this module as a plain query, about every application, host and database that was scraped. */
export function fillIn(expr: string, question: Question): string {
  const { testid, rangeSeconds, stepSeconds, windowSeconds } = question;
  const { histograms = "native", slowFactor = 2, slowAbove = noLimit } = question;
  const values: Readonly<Record<string, string>> = {
    testid,
    app: ".*",
    host: ".*",
    database: ".*",
    histogram: histograms === "native" ? "_seconds" : "_seconds_bucket",
    slow_factor: String(slowFactor),
    slow_above: String(slowAbove),
    __range: `${rangeSeconds}s`,
    __interval: `${stepSeconds}s`,
    __rate_interval: `${windowSeconds}s`,
  };
  return expr.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced: string, bare: string) => {
    return values[braced ?? bare] ?? whole;
  });
}

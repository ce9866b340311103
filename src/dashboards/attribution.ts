/**
 * Which resource answers for the slow time of a run, in PromQL alone: no rule has to be recorded, so the question can
 * be put to any Prometheus that scraped the system while the run went on.
 *
 * **Slow** is a moment in which the clients' p95 is above `$slow_factor` times its own lowest tenth over the time shown.
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
  /** One value without labels. */
  readonly expr: string;
  /** It is waited for above this. */
  readonly above: number | string;
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

const app = 'job=~"$app"';
const host = 'instance=~"$host"';
const database = 'instance=~"$database"';
const window = "[$__rate_interval]";

/** Mean of a gauge over the window, also where its series come and go: absent counts as 0 wherever the exporter answered. */
const meanSessions = (matchers: string): string => {
  const scrapes = `count_over_time(pg_up{${database}}${window})`;
  const sum = `sum(sum_over_time(pg_stat_activity_count{${database}, ${matchers}}${window}))`;
  return `((${sum} or 0 * max(${scrapes})) / scalar(max(${scrapes})))`;
};

/** How often a value is this many times its own lowest tenth over the time shown. */
const timesQuiet = (expr: string): string =>
  `(${expr}) / scalar(quantile_over_time(0.1, (${expr})[$__range:$__interval] @ end()))`;

/**
 * A share of the host's time, and 0 unless it is a quarter above its own lowest tenth: a host that others keep busy all
 * the time is no reason why some of it was slow.
 */
const aboveQuiet = (expr: string): string => `(${expr}) * (${timesQuiet(expr)} > bool 1.25)`;

/** Seconds per second that a histogram counted: the mean number of those that were at it. */
const atOnce = (histogram: string): string => `sum(rate(${histogram}_sum{${app}}${window}))`;

const meanDuration = (histogram: string): string =>
  `${atOnce(histogram)} / sum(rate(${histogram}_count{${app}}${window}))`;

const poolWaiting = atOnce("db_client_connection_wait_time_seconds");
const poolInUse = atOnce("db_client_connection_use_time_seconds");
const dependencies = "http_client_request_duration_seconds";
const statements = `sum(rate(pg_stat_statements_seconds_total{${database}}${window}))`;
const statementDuration = `${statements} / sum(rate(pg_stat_statements_calls_total{${database}}${window}))`;

/** In the order of a request's path. */
export const resources: readonly Resource[] = [
  {
    name: "CPU",
    advice: "profile the application, add cores or instances; see Application and Host CPU",
    signals: [
      {
        name: "event loop",
        expr: `max(rate(nodejs_eventloop_time_seconds_total{${app}, nodejs_eventloop_state="active"}${window}))`,
        // Above 0.9 the queue before a single server is, on average, longer than ten jobs.
        above: 0.9,
      },
      {
        name: "cores",
        expr: aboveQuiet(
          `max(1 - avg by (instance) (sum by (instance, cpu) (rate(node_cpu_seconds_total{${host}, mode=~"idle|iowait"}${window}))))`,
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
        expr: `max(sum by (instance) (rate(nodejs_gc_duration_seconds_sum{${app}}${window})))`,
        // A healthy heap spends below 5 % of the time on it; at 15 % each request pays for it.
        above: 0.15,
      },
      {
        name: "pressure",
        expr: `max(rate(node_pressure_memory_waiting_seconds_total{${host}}${window}))`,
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
        // Slower than it was, and a good part of what a request takes: a call may be slow and not matter.
        expr: `(${timesQuiet(meanDuration(dependencies))}) * (${atOnce(dependencies)} > bool 0.3 * ${atOnce("http_server_request_duration_seconds")})`,
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
        expr: `(${meanSessions('state=~"idle in transaction.*"')}) / (${meanSessions('state!="idle", backend_type="client backend"')})`,
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
        expr: meanSessions('wait_event_type="Lock"'),
        // Half a session on average: rows that are updated by many are waited for now and then.
        above: 0.5,
      },
    ],
    explainedBy: ["CPU", "memory", "disk"],
  },
  {
    name: "database statements",
    advice: "look at the slowest statements and their plans; see Postgres",
    signals: [
      {
        name: "duration",
        expr: `(${timesQuiet(statementDuration)}) * (${statements} > bool 0.3 * ${atOnce("http_server_request_duration_seconds")})`,
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
        expr: aboveQuiet(`max(rate(node_pressure_io_waiting_seconds_total{${host}}${window}))`),
        above: 0.3,
      },
    ],
    explainedBy: ["memory"],
  },
];

/** The clients' p95 of all requests, in seconds. */
const p95 = `histogram_quantile(0.95, ${buckets("http_req_duration", ofRun)})`;

/** 1 in a slow moment, else 0. */
export const isSlow: string = `${p95} > bool $slow_factor * scalar(quantile_over_time(0.1, (${p95})[$__range:$__interval] @ end()))`;

/** Share of the time shown that was slow, from 0 to 1. */
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
  const tenth = `0.1 * scalar(count_over_time((${p95})[$__range:$__interval]))`;
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
}

/** An expression of this module as a plain query, about every application, host and database that was scraped. */
export function fillIn(expr: string, question: Question): string {
  const { testid, rangeSeconds, stepSeconds, windowSeconds } = question;
  const { histograms = "native", slowFactor = 2 } = question;
  const values: Readonly<Record<string, string>> = {
    testid,
    app: ".*",
    host: ".*",
    database: ".*",
    histogram: histograms === "native" ? "_seconds" : "_seconds_bucket",
    slow_factor: String(slowFactor),
    __range: `${rangeSeconds}s`,
    __interval: `${stepSeconds}s`,
    __rate_interval: `${windowSeconds}s`,
  };
  return expr.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced: string, bare: string) => {
    return values[braced ?? bare] ?? whole;
  });
}

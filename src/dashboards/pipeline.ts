/**
 * Pipeline: is what the run measured in the store, to the last sample?
 *
 * The reconciliation is between two counts that were made apart: the load generator's own, and what the store
 * answers. Everything else is Plimsoll's own account, scraped while the run lasts (`--metrics-listen`).
 */
import { runAnnotations } from "./annotations.ts";
import { dashboard, type DashboardFile, type Section } from "./dashboard.ts";
import { named, stat, table, timeseries, type Panel } from "./panel.ts";
import { last, ofRun } from "./promql.ts";
import { columns, merged } from "./transformations.ts";
import { runVariable, testVariable } from "./variables.ts";

const counted = (stats: string): string =>
  `sum by (metric, stat) (${last("plimsoll_run_generator_count", `${ofRun}, stat=~"${stats}"`)})`;

/** Every counter and rate of k6 since the run's start, with the label `metric` in place of its name. */
const totals = (matchers: string): string =>
  `label_replace(${last("", `__name__=~"k6_.+_total", ${matchers}`)}, "metric", "$1", "__name__", "k6_(.+)_total")`;

const storedCounts = `sum by (metric) (${totals(ofRun)})`;
const storedRates = `sum by (metric, stat) (label_replace(${totals(`${ofRun}, condition!=""`)}, "stat", "$1", "condition", "(.+)"))`;

/** What the store has of each count that the generator made; 0 where it has none. */
const stored = [
  `${counted("count")} * 0 + on (metric) group_left () ${storedCounts}`,
  `${counted("nonzero|zero")} * 0 + on (metric, stat) ${storedRates}`,
  `${counted(".+")} * 0`,
].join(" or ");

const distance = `(${counted(".+")} - on (metric, stat) (${stored}))`;

/** Sums of fractions depend on their order, so that they may differ in their last digits; those count as equal. */
const difference = `${distance} * (abs(${distance}) > bool 1e-9 * abs(${counted(".+")}))`;

/** Any difference that is left is more. */
const smallest = 1e-12;

/** A counter or gauge of Plimsoll's own, as last scraped. */
const own = (name: string): string => last(`plimsoll_${name}`);
const ownRate = (name: string, by = ""): string =>
  `sum${by} (rate(plimsoll_${name}{${ofRun}}[$__rate_interval]))`;

/** Of a run that is over, what it wrote at its end; before, what was last scraped. */
const samples = (outcome: string, name: string): string =>
  `sum(${last("plimsoll_run_samples", `${ofRun}, outcome="${outcome}"`)}) or sum(${own(`samples_${name}_total`)})`;

const newestSent = "plimsoll_remote_write_highest_sent_timestamp_seconds";

/** At the moment of each scrape, so that the time since it does not count. */
const lag = `max by (instance) (timestamp(${newestSent}{${ofRun}}) - (${newestSent}{${ofRun}} > 0))`;

function reconciliation(): Section {
  return {
    panels: [
      stat({
        title: "Counted minus stored",
        description:
          "The sum of all differences between what the generator counted itself and what the store answers; sums of fractions count as equal up to a billionth. Anything but 0 is red. If it is, the table beside it says of which metric; then look at what was dropped, rejected, or is pending. Rules of --relabel-config that drop or rename series make a difference, too.",
        unit: "none",
        width: 6,
        height: 5,
        background: true,
        thresholds: [smallest, smallest],
        noValue: "not known: the run goes on, or its generator did not count",
        queries: [{ expr: `sum(abs(${difference}))`, legend: "difference" }],
      }),
      figure(
        "Samples read",
        "What came from the generator. If it is 0 while the load runs, Plimsoll does not get the generator's output.",
        samples("read", "read"),
      ),
      figure(
        "Samples dropped",
        "Read, and not usable. If it is not 0, see Samples dropped by reason, and docs/metrics.md for what each reason means.",
        `(${samples("read", "read")}) - (${samples("aggregated", "aggregated")})`,
        [1, 1],
      ),
      figure(
        "Points delivered",
        "Points that the store has acknowledged, as last scraped. If it is far below what is encoded, see Points pending.",
        `sum(${own("remote_write_points_delivered_total")})`,
      ),
      figure(
        "Pending now",
        "Points in the spool. If it grows while the run goes on, the store is slow or away; if it is high when the run ends, the next process of the same run delivers them.",
        `sum(plimsoll_remote_write_points_pending{${ofRun}})`,
        [10_000, 100_000],
        { noValue: "the run is over, or not scraped" },
      ),
      figure(
        "Points rejected",
        "Lost: refused by the store for good, or without room in the spool. If it is not 0, see Points rejected by reason.",
        `sum(${own("remote_write_points_rejected_total")}) or 0 * sum(${own("remote_write_points_encoded_total")})`,
        [1, 1],
      ),
      figure(
        "Lag now",
        "How far the newest point in the store is behind the clock. If it is above 15 s, the store is slow or away: see Requests to the store.",
        `max(${lag})`,
        [5, 15],
        { unit: "s", noValue: "the run is over" },
      ),
      table({
        title: "Counted by the generator, and stored",
        description:
          "Each count of the generator's own summary beside the total that the store has of it. If a difference is not 0, samples of that metric were lost on their way, or a relabelling rule changed its name.",
        unit: "none",
        width: 24,
        height: 9,
        noValue: "not known: the run goes on, or its generator did not count",
        queries: [
          { refId: "counted", legend: "counted", expr: counted(".+") },
          { refId: "stored", legend: "stored", expr: stored },
          { refId: "difference", legend: "difference", expr: difference },
        ],
        transformations: [
          merged(),
          columns({
            metric: "Metric",
            stat: "Count of",
            "Value #counted": "Counted",
            "Value #stored": "Stored",
            "Value #difference": "Difference",
          }),
        ],
        overrides: [
          named("Difference", {
            color: { mode: "thresholds" },
            thresholds: {
              mode: "absolute",
              steps: [
                { value: null, color: "red" },
                { value: -smallest, color: "green" },
                { value: smallest, color: "red" },
              ],
            },
            "custom.cellOptions": { type: "color-background" },
          }),
        ],
        sortBy: { field: "Difference" },
      }),
    ],
  };
}

function figure(
  title: string,
  description: string,
  expr: string,
  thresholds?: readonly [number, number],
  more: { readonly unit?: string; readonly noValue?: string } = {},
): Panel {
  return stat({
    title,
    description,
    unit: "short",
    width: 3,
    height: 5,
    noValue: "not scraped",
    ...more,
    ...(thresholds && { thresholds }),
    queries: [{ expr, legend: title.toLowerCase() }],
  });
}

const notScraped = "not scraped: see --metrics-listen";

function deliverySection(): Section {
  return {
    title: "While it runs",
    panels: [
      timeseries({
        title: "Samples",
        description:
          "Per second: read from the generator, part of a series, and of these the late ones, which came after their own interval was closed. If read and aggregated part, samples are dropped; if many are late, raise --lateness.",
        unit: "cps",
        min: 0,
        noValue: notScraped,
        queries: ["read", "aggregated", "late"].map((what) => ({
          expr: ownRate(`samples_${what}_total`),
          legend: what,
        })),
      }),
      timeseries({
        title: "Samples dropped by reason",
        description:
          "Per second. If there are any, docs/metrics.md says what the reason means; relabelled_away is what --relabel-config asks for.",
        unit: "cps",
        min: 0,
        stacked: true,
        noValue: "none",
        queries: [{ expr: ownRate("samples_dropped_total", " by (reason)"), legend: "{{reason}}" }],
      }),
      timeseries({
        title: "Series",
        description:
          "Prometheus series made of the generator's metrics. If it grows for the whole run, requests have names of their own: group them by a name in the script. Beyond --max-series they are summed as (other).",
        unit: "none",
        min: 0,
        noValue: notScraped,
        queries: [{ expr: `sum(plimsoll_series{${ofRun}})`, legend: "series" }],
      }),
      timeseries({
        title: "Points",
        description:
          "Per second: encoded, delivered, and sent again. If encoded is above delivered for long, the spool grows; if many are sent again, the store answers with errors or not in time.",
        unit: "cps",
        min: 0,
        noValue: notScraped,
        queries: ["encoded", "delivered", "retried", "recovered"].map((what) => ({
          expr: ownRate(`remote_write_points_${what}_total`),
          legend: what,
        })),
      }),
      timeseries({
        title: "Points rejected by reason",
        description:
          "Per second. If it is http_400, the store's own text is in Plimsoll's log: most often its limits, or points that are too old for it.",
        unit: "cps",
        min: 0,
        stacked: true,
        noValue: "none",
        queries: [
          {
            expr: ownRate("remote_write_points_rejected_total", " by (reason)"),
            legend: "{{reason}}",
          },
        ],
      }),
      timeseries({
        title: "Lag",
        description:
          "How far the newest delivered point is behind the clock when it was scraped. It is never below the push interval. If it grows, the store is slow or away, and the spool fills.",
        unit: "s",
        min: 0,
        thresholds: [5, 15],
        noValue: notScraped,
        queries: [{ expr: lag, legend: "{{instance}}" }],
      }),
      timeseries({
        title: "Points pending",
        description:
          "In the spool, waiting to be sent. If it grows, the store takes less than the run makes; nothing is lost before --spool-limit.",
        unit: "none",
        min: 0,
        softMax: 10,
        noValue: notScraped,
        queries: [
          { expr: `sum(plimsoll_remote_write_points_pending{${ofRun}})`, legend: "pending" },
        ],
      }),
      timeseries({
        title: "Spool",
        description:
          "Bytes on the generator's disk. If it nears --spool-limit, points will be rejected as spool_full.",
        unit: "bytes",
        min: 0,
        noValue: notScraped,
        queries: [{ expr: `sum(plimsoll_remote_write_spool_bytes{${ofRun}})`, legend: "spool" }],
      }),
      timeseries({
        title: "Requests to the store",
        description:
          "Per second, repetitions included, and the bytes of their bodies (right scale). If there are none while points are pending, Plimsoll waits for a store that is away.",
        unit: "reqps",
        min: 0,
        noValue: notScraped,
        right: { fields: "/^sent$/", unit: "Bps" },
        queries: [
          { expr: ownRate("remote_write_requests_total"), legend: "requests" },
          { expr: ownRate("remote_write_sent_bytes_total"), legend: "sent" },
        ],
      }),
    ],
  };
}

function processSection(): Section {
  return {
    title: "Plimsoll's process",
    panels: [
      timeseries({
        title: "CPU",
        description:
          "Cores in use. If it is near 1, Plimsoll cannot read faster: fewer samples per second, or several generators.",
        unit: "none",
        min: 0,
        thresholds: [0.7, 0.9],
        noValue: notScraped,
        queries: [
          {
            expr: `sum by (instance) (rate(process_cpu_seconds_total{${ofRun}}[$__rate_interval]))`,
            legend: "{{instance}}",
          },
        ],
      }),
      timeseries({
        title: "Memory",
        description:
          "Resident memory. It goes with the number of series, not of samples. If it grows for the whole run, so do they.",
        unit: "bytes",
        min: 0,
        noValue: notScraped,
        queries: [
          { expr: `process_resident_memory_bytes{${ofRun}}`, legend: "resident {{instance}}" },
        ],
      }),
      timeseries({
        title: "Event-loop delay",
        description:
          "How late timers fire, p99 since the scrape before. If it is above a second, reading holds up sending: the lag grows with it.",
        unit: "s",
        min: 0,
        noValue: notScraped,
        queries: [
          { expr: `nodejs_eventloop_lag_p99_seconds{${ofRun}}`, legend: "p99 {{instance}}" },
        ],
      }),
    ],
  };
}

export function pipeline(): DashboardFile {
  return dashboard({
    name: "pipeline",
    title: "Pipeline",
    description:
      "Is what the run measured in the store, to the last sample? The generator's counts against the store's, and how delivery goes while it runs.",
    from: "now-15m",
    refresh: "5s",
    variables: [testVariable(), runVariable()],
    annotations: runAnnotations(),
    sections: [reconciliation(), deliverySection(), processSection()],
  });
}

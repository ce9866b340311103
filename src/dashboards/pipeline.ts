/**
 * Pipeline: is what the run measured in the store, to the last sample?
 *
 * The reconciliation is between two counts that were made apart: the load generator's own, and what the store
 * answers. Everything else is Plimsoll's own account, which `plimsoll run` stores with the run every 5 s; of an ingested
 * file, and of a run of `plimsoll serve`, it is there where it was scraped (`--metrics-listen`).
 */
import { runAnnotations } from "./annotations.ts";
import { generatorHealth, generatorLegend, withGenerator } from "./generator-health.ts";
import { dashboard, type DashboardFile, type Section } from "./dashboard.ts";
import { named, stat, table, timeseries, type Panel } from "./panel.ts";
import { last, ofRun, once } from "./promql.ts";
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

/** A counter of Plimsoll's own since the run's start, over all its series. */
const own = (name: string): string => `sum(${once(last(`plimsoll_${name}`), labelsOf(name))})`;
const ownRate = (name: string, by: readonly string[] = []): string => {
  const rate = once(`rate(plimsoll_${name}{${ofRun}}[$__rate_interval])`, labelsOf(name));
  return `sum${by.length > 0 ? ` by (${by.join(", ")})` : ""} (${rate})`;
};
const ownNow = (name: string): string =>
  `sum(${once(`plimsoll_${name}{${ofRun}}`, labelsOf(name))})`;

/** What tells the series of a metric apart, beside the generator. */
function labelsOf(name: string): string[] {
  const isOfPoints = name.startsWith("remote_write_samples_");
  const isByReason = /_(dropped|failed)_total$/.test(name);
  return [...(isOfPoints ? ["type"] : []), ...(isByReason ? ["reason"] : [])];
}

/** Of a run that is over, what it wrote at its end; before, what it last said of itself. */
const samples = (outcome: string, name: string): string =>
  `sum(${last("plimsoll_run_samples", `${ofRun}, outcome="${outcome}"`)}) or ${own(`samples_${name}_total`)}`;

const timestamp = (which: string): string => `plimsoll_remote_write_${which}_timestamp_seconds`;

/** What is encoded but not stored, in time. Before the first answer there is nothing to compare with. */
const lag = once(
  `${timestamp("highest")}{${ofRun}} - (${timestamp("highest_sent")}{${ofRun}} > 0)`,
);

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
        "Points that the store has acknowledged; at the end all but those that say so. If it is far below what is encoded, see Points pending.",
        own("remote_write_samples_delivered_total"),
      ),
      figure(
        "Pending now",
        "Points in the spool. If it grows while the run goes on, the store is slow or away; if it is high when the run ends, the next process of the same run delivers them.",
        ownNow("remote_write_samples_pending"),
        [10_000, 100_000],
        { noValue: "the run is over" },
      ),
      figure(
        "Points lost",
        "Refused by the store for good, or lost before they were sent, such as without room in the spool. If it is not 0, see Points lost by reason.",
        lostOf((name) => own(name), own("remote_write_samples_total")),
        [1, 1],
      ),
      figure(
        "Lag now",
        "How far the newest point in the store is behind the newest one encoded. If it is above 15 s, the store is slow or away: see Requests to the store.",
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

/** Refused and dropped together, which both are there only if there are any; 0 where there are none. */
function lostOf(read: (name: string) => string, all: string): string {
  const either = (name: string): string => `(${read(name)} or 0 * ${all})`;
  return `${either("remote_write_samples_failed_total")} + ${either("remote_write_samples_dropped_total")}`;
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
    noValue: "not known",
    ...more,
    ...(thresholds && { thresholds }),
    queries: [{ expr, legend: title.toLowerCase() }],
  });
}

const notKnown = "not known: of an ingested file, see --metrics-listen";

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
        noValue: notKnown,
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
        queries: [{ expr: ownRate("samples_dropped_total", ["reason"]), legend: "{{reason}}" }],
      }),
      timeseries({
        title: "Series",
        description:
          "Prometheus series made of the generator's metrics. If it grows for the whole run, requests have names of their own: group them by a name in the script. Beyond --max-series they are summed as (other).",
        unit: "none",
        min: 0,
        noValue: notKnown,
        queries: [{ expr: ownNow("series"), legend: "series" }],
      }),
      timeseries({
        title: "Points",
        description:
          "Per second: encoded, delivered, and sent again. If encoded is above delivered for long, the spool grows; if many are sent again, the store answers with errors or not in time.",
        unit: "cps",
        min: 0,
        noValue: notKnown,
        queries: [
          { expr: ownRate("remote_write_samples_total"), legend: "encoded" },
          ...["delivered", "retried", "recovered"].map((what) => ({
            expr: ownRate(`remote_write_samples_${what}_total`),
            legend: what,
          })),
        ],
      }),
      timeseries({
        title: "Points lost by reason",
        description:
          "Per second: refused by the store for good, and lost before they were sent. If it is http_400, the store's own text is in Plimsoll's log: most often its limits, or points that are too old for it.",
        unit: "cps",
        min: 0,
        stacked: true,
        noValue: "none",
        queries: [
          { expr: ownRate("remote_write_samples_failed_total", ["reason"]), legend: "{{reason}}" },
          { expr: ownRate("remote_write_samples_dropped_total", ["reason"]), legend: "{{reason}}" },
        ],
      }),
      timeseries({
        title: "Lag",
        description:
          "How far the newest delivered point is behind the newest one encoded. If it grows, the store is slow or away, and the spool fills.",
        unit: "s",
        min: 0,
        thresholds: [5, 15],
        noValue: notKnown,
        queries: [{ expr: withGenerator(lag), legend: generatorLegend }],
      }),
      timeseries({
        title: "Points pending",
        description:
          "In the spool, waiting to be sent. If it grows, the store takes less than the run makes; nothing is lost before --spool-limit.",
        unit: "none",
        min: 0,
        softMax: 10,
        noValue: notKnown,
        queries: [{ expr: ownNow("remote_write_samples_pending"), legend: "pending" }],
      }),
      timeseries({
        title: "Spool",
        description:
          "Bytes on the generator's disk. If it nears --spool-limit, points will be rejected as spool_full.",
        unit: "bytes",
        min: 0,
        noValue: notKnown,
        queries: [{ expr: ownNow("remote_write_spool_bytes"), legend: "spool" }],
      }),
      timeseries({
        title: "Delivery stalled",
        description:
          "For how long the store has not taken the oldest request, by state. If it is retrying, the store is away or overloaded, and what waits is sent when it is back; any other state waits for you: Plimsoll's log has the store's answer.",
        unit: "s",
        min: 0,
        noValue: "never",
        queries: [
          {
            expr: once(`plimsoll_remote_write_stalled_seconds{${ofRun}}`, ["state"]),
            legend: "{{state}}",
          },
        ],
      }),
      timeseries({
        title: "Requests to the store",
        description:
          "Per second by status, repetitions included, and the bytes of their bodies (right scale). If there are none while points are pending, Plimsoll waits for a store that is away; none is the status of a request without an answer.",
        unit: "reqps",
        min: 0,
        noValue: notKnown,
        right: { fields: "/^sent$/", unit: "Bps" },
        queries: [
          {
            expr: `sum by (protocol, status) (${once(`rate(${sentBatch}_count{${ofRun}}[$__rate_interval])`, ["protocol", "status"])})`,
            legend: "{{protocol}} {{status}}",
          },
          { expr: ownRate("remote_write_bytes_total"), legend: "sent" },
        ],
      }),
      timeseries({
        title: "Time of a request to the store",
        description:
          "From a request to its answer. If p95 nears the push interval, the store takes points hardly as fast as they are made, and the spool begins to fill.",
        unit: "s",
        min: 0,
        noValue: notKnown,
        queries: [0.5, 0.95].map((q) => ({
          expr: `histogram_quantile(${q}, sum by (le) (${once(`rate(${sentBatch}_bucket{${ofRun}}[$__rate_interval])`, ["le", "protocol", "status"])}))`,
          legend: `p${q * 100}`,
        })),
      }),
    ],
  };
}

const sentBatch = "plimsoll_remote_write_sent_batch_duration_seconds";

function processSection(): Section {
  return {
    title: "The generator's processes",
    panels: generatorHealth(notKnown),
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

/**
 * Reads what `k6 run --summary-export FILE` wrote: k6's own totals and threshold results.
 *
 * In:  the file, in the form of v1 and v2, or in that of `--new-machine-readable-summary`.
 * Out: one entry per metric and submetric, in one form.
 *
 * Source: k6 `internal/js/summary-wrapper.js`, `internal/lib/summary/machine_readable.go`. In the first
 * form a threshold is `true` when it FAILED; here `true` is passed. The second form has no thresholds.
 */
import { readFile } from "node:fs/promises";
import { InputError, messageOf } from "../errors.ts";
import { metricTypes, type MetricType } from "../sample/metric.ts";

export interface K6SummaryMetric {
  readonly type: MetricType;
  /**
   * counter: `count`, maybe `rate` (per second); gauge: `value`, `min`, `max`; rate: `passes` (samples that
   * were not zero), `fails`, `value` (0 to 1); trend: the script's `summaryTrendStats`, times in milliseconds.
   */
  readonly values: ReadonlyMap<string, number>;
  /** The threshold's expression, e.g. `p(95)<500`, to whether it passed. */
  readonly thresholds: ReadonlyMap<string, boolean>;
}

export interface K6Summary {
  /** By name; a submetric's name holds its filter, e.g. `http_reqs{status:404}`. */
  readonly metrics: ReadonlyMap<string, K6SummaryMetric>;
}

/** @throws InputError if the file cannot be read or is not a k6 summary */
export async function readK6Summary(path: string): Promise<K6Summary> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new InputError(`k6 summary ${JSON.stringify(path)} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
  try {
    const summary = mapAt(content, "the file");
    const metrics = "results" in summary ? fromMachineReadable(summary) : fromExported(summary);
    return { metrics };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new InputError(
      `k6 summary ${JSON.stringify(path)} has an unknown form: ${cause.message}`,
      { cause },
    );
  }
}

function fromExported(summary: Json): Map<string, K6SummaryMetric> {
  const metrics = Object.entries(mapAt(summary["metrics"], "metrics"));
  return new Map(
    metrics.map(([name, metric]) => {
      const { thresholds = {}, ...rest } = mapAt(metric, `metrics.${name}`);
      const values = numbersAt(rest, `metrics.${name}`);
      const failed = Object.entries(mapAt(thresholds, `metrics.${name}.thresholds`));
      return [
        name,
        {
          type: typeOf(rest),
          values,
          thresholds: new Map(failed.map(([text, hasFailed]) => [text, hasFailed === false])),
        },
      ];
    }),
  );
}

/** This form does not name the type, but no two types have the same keys. */
function typeOf(values: Json): MetricType {
  if ("passes" in values) return "rate";
  if ("value" in values) return "gauge";
  // A trend may have `count`, if `summaryTrendStats` asks for it, but never `rate`.
  return "count" in values && "rate" in values ? "counter" : "trend";
}

function fromMachineReadable(summary: Json): Map<string, K6SummaryMetric> {
  const results = mapAt(summary["results"], "results");
  const checks = mapAt(results["checks"], "results.checks");
  const metrics = new Map<string, K6SummaryMetric>();
  for (const metric of listAt(results["metrics"], "results.metrics")) {
    const { name, type, values } = mapAt(metric, "results.metrics[]");
    const known = metricTypes.find((one) => one === type);
    if (known === undefined)
      throw new TypeError(`results.metrics[].type is none of ${metricTypes}`);
    metrics.set(String(name), machineEntry(known, numbersAt(values, `${String(name)}.values`)));
  }
  // `checks` is left out of the metrics and stands here, under another name.
  for (const metric of listAt(checks["metrics"], "results.checks.metrics")) {
    const { name, values } = mapAt(metric, "results.checks.metrics[]");
    if (name !== "checks_succeeded") continue;
    metrics.set("checks", machineEntry("rate", numbersAt(values, "checks_succeeded.values")));
  }
  return metrics;
}

function machineEntry(type: MetricType, values: ReadonlyMap<string, number>): K6SummaryMetric {
  const matches = values.get("matches") ?? 0;
  const entries =
    type === "rate"
      ? Object.entries({
          passes: matches,
          fails: (values.get("total") ?? 0) - matches,
          value: values.get("rate") ?? 0,
        })
      : // `p95` is `p(95)` in the other form.
        [...values].map(([stat, value]) => [stat.replace(/^p(\d+)$/, "p($1)"), value] as const);
  return { type, values: new Map(entries), thresholds: new Map() };
}

type Json = Readonly<Record<string, unknown>>;

/** @throws TypeError that says where it is not */
function mapAt(value: unknown, path: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${path} is no map`);
  }
  return value as Json;
}

/** @throws TypeError that says where it is not */
function listAt(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${path} is no list`);
  return value;
}

/**
 * JSON has no infinity: a sum or a mean that overflowed is null, and left out.
 *
 * @throws TypeError that says where it is not
 */
function numbersAt(value: unknown, path: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [stat, one] of Object.entries(mapAt(value, path))) {
    if (typeof one === "number") numbers.set(stat, one);
    else if (one !== null) throw new TypeError(`${path}.${stat} is no number`);
  }
  return numbers;
}

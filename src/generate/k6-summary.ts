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
import { z } from "zod";
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

/** JSON has no infinity: a sum or a mean that overflowed is null. */
const number = z.number().nullable();

const exported = z.object({
  metrics: z.record(
    z.string(),
    z.object({ thresholds: z.record(z.string(), z.boolean()).default({}) }).catchall(number),
  ),
});

const machineMetric = z.object({
  name: z.string(),
  type: z.enum(metricTypes),
  values: z.record(z.string(), number),
});
const machineReadable = z.object({
  results: z.object({
    metrics: z.array(machineMetric),
    checks: z.object({ metrics: z.array(machineMetric) }),
  }),
});

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
  const machine = machineReadable.safeParse(content);
  if (machine.success) return { metrics: fromMachineReadable(machine.data) };
  const { data, error } = exported.safeParse(content);
  if (!data) {
    throw new InputError(
      `k6 summary ${JSON.stringify(path)} has an unknown form: ${z.prettifyError(error)}`,
      { cause: error },
    );
  }
  return { metrics: fromExported(data) };
}

function fromExported({ metrics }: z.infer<typeof exported>): Map<string, K6SummaryMetric> {
  return new Map(
    Object.entries(metrics).map(([name, { thresholds, ...values }]) => [
      name,
      {
        type: typeOf(values),
        values: toNumbers(values),
        thresholds: new Map(Object.entries(thresholds).map(([text, failed]) => [text, !failed])),
      },
    ]),
  );
}

/** This form does not name the type, but no two types have the same keys. */
function typeOf(values: ExportedValues): MetricType {
  if ("passes" in values) return "rate";
  if ("value" in values) return "gauge";
  // A trend may have `count`, if `summaryTrendStats` asks for it, but never `rate`.
  return "count" in values && "rate" in values ? "counter" : "trend";
}

function fromMachineReadable({
  results,
}: z.infer<typeof machineReadable>): Map<string, K6SummaryMetric> {
  const metrics = new Map(
    results.metrics.map(({ name, type, values }) => [name, machineEntry(type, values)]),
  );
  // `checks` is left out of the metrics and stands here, under another name.
  const checks = results.checks.metrics.find(({ name }) => name === "checks_succeeded");
  if (checks) metrics.set("checks", machineEntry("rate", checks.values));
  return metrics;
}

function machineEntry(type: MetricType, exportedValues: ExportedValues): K6SummaryMetric {
  const values = toNumbers(exportedValues);
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

type ExportedValues = Readonly<Record<string, number | null>>;

function toNumbers(values: ExportedValues): Map<string, number> {
  return new Map(
    Object.entries(values).flatMap(([stat, value]) => (value === null ? [] : [[stat, value]])),
  );
}

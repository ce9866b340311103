/**
 * What the record of a run says of its end: the same that a server keeps of a run that k6 pushes to it.
 *
 * A threshold has k6's verdict and ours, from the run's own totals. A submetric, `http_reqs{status:200}`, is not among
 * those: of it there is k6's value, where its summary has that, and no verdict of ours.
 */
import { InputError } from "../errors.ts";
import type { MetricTotals } from "../aggregate/metric-totals.ts";
import type { GeneratorVerdict } from "../generate/k6-thresholds.ts";
import { metricStats } from "../output/metric-stats.ts";
import type { PrometheusOutput } from "../output/prometheus-output.ts";
import type { SummaryRow, ThresholdVerdict } from "../runs/run-record.ts";
import type { RunState } from "../runs/run-state.ts";
import { judge, type Judgement, parseExpression } from "../runs/threshold-expression.ts";
import { toSummary } from "../server/live/run-end.ts";
import type { LoadEnd } from "./load.ts";

export interface RunOutcome {
  readonly state: RunState;
  readonly thresholds: readonly ThresholdVerdict[];
  readonly summary: readonly SummaryRow[];
  /** Undefined where the samples do not say. */
  readonly maxVus: number | undefined;
  /** Of the first sample, Unix milliseconds; undefined for a run without. */
  readonly startedMs: number | undefined;
}

/** Call it after `finish`. */
export function toRunOutcome(
  output: PrometheusOutput,
  { state, thresholds }: Pick<LoadEnd, "state" | "thresholds">,
): RunOutcome {
  const { firstSampleMs, lastPointMs } = output;
  const totals = output.totals();
  const { read, aggregated } = output.progress.samples;
  const runSeconds = firstSampleMs === undefined ? 0 : (lastPointMs - firstSampleMs) / 1_000;
  const peakVus = totals.find(({ metric }) => metric.name === "vus_max")?.peak ?? -Infinity;
  return {
    state,
    // From totals that lack samples, dropped by the user's relabel rules for one, no verdict would be right.
    thresholds: toVerdicts(thresholds, read === aggregated ? totals : undefined, runSeconds),
    summary: totals.flatMap(toSummary),
    maxVus: peakVus === -Infinity ? undefined : peakVus,
    startedMs: firstSampleMs,
  };
}

/** `totals` is undefined where not all samples are in them. */
export function toVerdicts(
  thresholds: readonly GeneratorVerdict[],
  totals: readonly MetricTotals[] | undefined,
  runSeconds: number,
): ThresholdVerdict[] {
  const byName = totals && new Map(totals.map((total) => [total.metric.name, total]));
  return thresholds.map(({ metric, threshold, ok, value }) => {
    const isWhole = !metric.includes("{");
    const own = byName && isWhole ? judged(threshold, byName.get(metric), runSeconds) : undefined;
    return {
      metric,
      expression: threshold,
      // k6's summary says neither.
      abortOnFail: false,
      delayAbortEvalMs: 0,
      value: own?.value ?? value,
      ok: own?.ok,
      generatorOk: ok,
    };
  });
}

/** Undefined for an expression that only a newer k6 understands. */
function judged(
  threshold: string,
  total: MetricTotals | undefined,
  runSeconds: number,
): Judgement | undefined {
  try {
    const moment = { runSeconds, isFinal: true };
    return judge(parseExpression(threshold), total && metricStats(total), moment);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/**
 * How a run ended, of what its generator reports and what the server has seen; in the words of its record and of the store.
 */
import type { MetricTotals } from "../../aggregate/metric-totals.ts";
import { summaryOf, type ThresholdResult } from "../../output/run-series.ts";
import type { SummaryRow, ThresholdVerdict } from "../../runs/run-record.ts";
import type { ReportedEnd } from "../../runs/run-service.ts";
import type { RunState } from "../../runs/run-state.ts";

/** k6 says "interrupted" of a threshold that aborts as well as of Ctrl-C. */
export function stateOf(
  { state, reason = "" }: ReportedEnd,
  verdicts: readonly ThresholdVerdict[],
  { stopBy, runSeconds }: { readonly stopBy: string | undefined; readonly runSeconds: number },
): RunState {
  // Told to stop, k6 says that its output has.
  if (stopBy !== undefined && (state === "interrupted" || state === "aborted_by_system")) {
    return "aborted_by_user";
  }
  if (state !== "interrupted") return state;
  const isByThreshold =
    reason.includes("abortOnFail") ||
    verdicts.some(
      ({ abortOnFail, delayAbortEvalMs, value, ok }) =>
        abortOnFail &&
        ok === false &&
        value !== undefined &&
        runSeconds * 1_000 >= delayAbortEvalMs,
    );
  return isByThreshold ? "aborted_by_threshold" : "aborted_by_user";
}

export function saidOf(
  { metric, expression, generatorOk }: ThresholdVerdict,
  { thresholds = [] }: ReportedEnd,
): boolean | undefined {
  const said = thresholds.find((one) => one.metric === metric && one.expression === expression);
  return said?.ok ?? generatorOk;
}

export function isSame(a: ThresholdVerdict, b: ThresholdVerdict | undefined): boolean {
  return a.ok === b?.ok && a.value === b?.value;
}

/** The verdict that decided; none for what was not judged. */
export function toResult({
  metric,
  expression,
  ok,
  generatorOk,
}: ThresholdVerdict): ThresholdResult[] {
  const decided = generatorOk ?? ok;
  return decided === undefined ? [] : [{ metric, threshold: expression, ok: decided }];
}

export function toSummary(total: MetricTotals): SummaryRow[] {
  const metric = total.metric.name;
  return summaryOf(total).map(([stat, value]) => ({ metric, stat, value }));
}

/**
 * The account of a run: what was sent where, and what became of every sample and point.
 *
 * The command's report and the library's are this, with a little of their own beside it.
 */
import type { RunIdentity } from "../runs/run-identity.ts";
import type { RunState } from "../runs/run-state.ts";
import type { DropReason } from "../sample/sample.ts";
import type { OutputProgress } from "./output-progress.ts";
import type { PrometheusOutput } from "./prometheus-output.ts";
import { summaryOf, type ThresholdResult } from "./run-series.ts";

/** What became of everything so far; the two equations hold at every moment. */
export interface Account {
  /** `read` = `aggregated` + the sum of `dropped`; `late` are part of `aggregated`. */
  readonly samples: {
    readonly read: number;
    readonly aggregated: number;
    /** Came after their own interval was closed, and count in a later one. */
    readonly late: number;
    /** By reason; docs/metrics.md has them. */
    readonly dropped: Readonly<Record<string, number>>;
  };
  /** `recovered` + `encoded` = `delivered` + `pending` + the sum of `rejected`. */
  readonly points: {
    /** Of an earlier process of the same run, found in the spool. */
    readonly recovered: number;
    readonly encoded: number;
    readonly delivered: number;
    /** Still in the spool. */
    readonly pending: number;
    /** By reason: an answer such as `http_400`, or `spool_full`. */
    readonly rejected: Readonly<Record<string, number>>;
  };
  /** Of an earlier process of the same run, that cannot be read: lost, and how many points they held is not known. */
  readonly corruptRequests: number;
  readonly series: {
    readonly made: number;
    /** Series beyond the limit, which went to `name="(other)"`. */
    readonly overflowed: number;
    /** Left out: after naming and relabelling they were another. */
    readonly collided: number;
    readonly labelCollisions: number;
    readonly excessLabels: number;
    readonly truncatedLabels: number;
    readonly replacedRunTags: number;
  };
  /** Requests sent, repetitions included. */
  readonly requests: number;
  /** Bodies as encoded, each once. */
  readonly encodedBytes: number;
  /** Bodies as sent, repetitions included. */
  readonly bytesSent: number;
}

/** docs/cli.md describes the fields. */
export interface RunAccount extends RunIdentity, Account {
  readonly state: RunState;
  readonly thresholds: readonly ThresholdResult[];
  /** The receiver's, without credentials and query. */
  readonly url: string;
  /** Remote write `1` or `2`. */
  readonly protocol: string;
  /** How trends were sent: `native`, `classic`, `none`. */
  readonly trends: string;
  /** Where what is pending waits. */
  readonly spoolDirectory: string;
  /** Unix milliseconds of the run's last points: when `increase()` is exact. 0 for a run without samples. */
  readonly lastPointMs: number;
  /** Metric to stat to value, times in seconds, as `plimsoll_run_summary` has it. */
  readonly summary: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What of an account tells whether samples are missing. */
type SampleAccount = Pick<Account["samples"], "read" | "aggregated" | "dropped">;

export function toAccount({
  samples,
  points,
  mapper,
  sender,
  corruptRecords,
  encodedBytes,
}: OutputProgress): Account {
  return {
    samples: { ...samples, dropped: Object.fromEntries(samples.dropped) },
    points: { ...points, rejected: Object.fromEntries(points.rejected) },
    corruptRequests: corruptRecords,
    series: {
      made: mapper.series,
      overflowed: mapper.overflowed,
      collided: mapper.outputCollisions,
      labelCollisions: mapper.collisions,
      excessLabels: mapper.excess,
      truncatedLabels: mapper.truncated,
      replacedRunTags: mapper.replacedRunTags,
    },
    requests: sender.requests,
    encodedBytes,
    bytesSent: sender.bytesSent,
  };
}

/** Call it after `finish`. */
export function toRunAccount(
  output: PrometheusOutput,
  { state, thresholds }: Pick<RunAccount, "state" | "thresholds">,
): RunAccount {
  return {
    ...output.identity,
    state,
    thresholds,
    url: output.displayUrl,
    protocol: output.protocol,
    trends: output.trendForm,
    ...toAccount(output.progress),
    lastPointMs: output.lastPointMs,
    spoolDirectory: output.spoolDirectory,
    summary: Object.fromEntries(
      output
        .totals()
        .map((total) => [total.metric.name, Object.fromEntries(summaryOf(total))] as const),
    ),
  };
}

/** Whether every sample that was read, and all that was found in the spool, is in the store. */
export function isDelivered({ samples, points, corruptRequests, series }: Account): boolean {
  return (
    isAllUsed(samples) &&
    series.collided === 0 &&
    corruptRequests === 0 &&
    points.recovered + points.encoded === points.delivered
  );
}

/** Whether every sample that was read is used; what the user's relabel rules drop is not missed. */
export function isAllUsed(samples: SampleAccount): boolean {
  return samples.read === samples.aggregated + relabelledAway(samples);
}

export function relabelledAway({ dropped }: SampleAccount): number {
  return dropped["relabelled_away" satisfies DropReason] ?? 0;
}

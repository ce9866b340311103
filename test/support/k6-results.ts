/**
 * What k6 says of a run in its own files: the samples (`--out json=FILE`) and the end-of-test summary
 * (`--summary-export FILE`). Read with nothing but `JSON.parse`: an independent check of what `src/` reads.
 */
import { readFile } from "node:fs/promises";

export interface RawSample {
  readonly metric: string;
  /** Unix milliseconds, whole. */
  readonly timeMs: number;
  readonly value: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface RawMetric {
  readonly type: "counter" | "gauge" | "rate" | "trend";
  readonly contains: "default" | "time" | "data";
}

export interface RawRun {
  /** In the order of the file. */
  readonly samples: readonly RawSample[];
  readonly metrics: ReadonlyMap<string, RawMetric>;
  readonly oldestMs: number;
  readonly newestMs: number;
}

/** A line of k6's file. Source: k6 `internal/output/json/wrapper.go`. */
type Line =
  | { readonly type: "Metric"; readonly metric: string; readonly data: RawMetric }
  | {
      readonly type: "Point";
      readonly metric: string;
      readonly data: {
        readonly time: string;
        readonly value: number;
        readonly tags: Readonly<Record<string, string>>;
      };
    };

export async function readRawRun(path: string): Promise<RawRun> {
  const samples: RawSample[] = [];
  const metrics = new Map<string, RawMetric>();
  let oldestMs = Infinity;
  let newestMs = -Infinity;
  for (const text of (await readFile(path, "utf8")).trimEnd().split("\n")) {
    const line: Line = JSON.parse(text);
    if (line.type === "Metric") {
      metrics.set(line.metric, line.data);
      continue;
    }
    const { time, value, tags } = line.data;
    // ECMAScript keeps the first three digits of a fraction, so this truncates.
    const timeMs = Date.parse(time);
    oldestMs = Math.min(oldestMs, timeMs);
    newestMs = Math.max(newestMs, timeMs);
    samples.push({ metric: line.metric, timeMs, value, tags });
  }
  return { samples, metrics, oldestMs, newestMs };
}

export interface SummaryMetric {
  /** Counter: `count`; rate: `passes` (not zero) and `fails`; gauge: `value`; trend: its stats, times in ms. */
  readonly values: Readonly<Record<string, number>>;
  /** By threshold, e.g. `p(95)<500`. */
  readonly failed: Readonly<Record<string, boolean>>;
}

/** By metric, and by submetric such as `http_reqs{status:404}`. */
export type Summary = ReadonlyMap<string, SummaryMetric>;

export async function readSummary(path: string): Promise<Summary> {
  const { metrics }: { metrics: Record<string, Record<string, unknown>> } = JSON.parse(
    await readFile(path, "utf8"),
  );
  return new Map(
    Object.entries(metrics).map(([name, { thresholds = {}, ...values }]) => [
      name,
      // The file's form: next to `thresholds` there are only numbers.
      { values, failed: thresholds } as SummaryMetric,
    ]),
  );
}

/**
 * The values that are the quantile `q` of a sample. The nearest-rank quantile is the smallest value that at least
 * the share `q` does not exceed; where q·n is whole, every value up to the next one splits the sample as well.
 */
export function quantileRange(
  values: readonly number[],
  q: number,
): { readonly low: number; readonly high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = q * sorted.length;
  const whole = Math.round(rank);
  const isWhole = Math.abs(rank - whole) < 1e-9 && whole < sorted.length;
  const nearest = Math.max(1, isWhole ? whole : Math.ceil(rank));
  // Ranks count from 1.
  const low = sorted[nearest - 1] ?? NaN;
  return { low, high: isWhole ? (sorted[nearest] ?? low) : low };
}

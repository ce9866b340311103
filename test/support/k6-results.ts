/**
 * What k6 says of a run in its own files: the samples (`--out json=FILE`) and the end-of-test summary
 * (`--summary-export FILE`), under the names that Prometheus has them by.
 *
 * Read with nothing but `JSON.parse`: an independent check of what `src/` reads and adds up.
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

export interface Threshold {
  readonly metric: string;
  readonly threshold: string;
  readonly ok: boolean;
}

/** A line of k6's file. Source: k6 `internal/output/json/wrapper.go`. */
type Line =
  | { readonly type: "Metric"; readonly metric: string; readonly data: RawMetric }
  | {
      readonly type: "Point";
      readonly metric: string;
      readonly data: { readonly time: string } & Pick<RawSample, "value" | "tags">;
    };

interface ExportedSummary {
  /** Beside `thresholds` there are only numbers, of a counter, a rate, a gauge or a trend. */
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly count?: number;
        readonly passes?: number;
        readonly fails?: number;
        readonly value?: number;
        readonly "p(99)"?: number;
        /** `true` for a threshold that FAILED. */
        readonly thresholds?: Readonly<Record<string, boolean>>;
      }
    >
  >;
}

export class K6Results {
  /** In the order of the file. */
  readonly samples: readonly RawSample[];
  readonly #metrics: ReadonlyMap<string, RawMetric>;
  readonly #summary: ExportedSummary["metrics"];

  private constructor(lines: readonly Line[], { metrics }: ExportedSummary) {
    const declared = new Map<string, RawMetric>();
    const samples: RawSample[] = [];
    for (const { metric, ...line } of lines) {
      if (line.type === "Metric") {
        declared.set(metric, line.data);
      } else {
        const { time, value, tags } = line.data;
        // ECMAScript takes the first three digits of a fraction, so this truncates.
        samples.push({ metric, timeMs: Date.parse(time), value, tags });
      }
    }
    this.samples = samples;
    this.#metrics = declared;
    this.#summary = metrics;
  }

  static async read(samplesFile: string, summaryFile: string): Promise<K6Results> {
    const lines = (await readFile(samplesFile, "utf8")).trimEnd().split("\n");
    return new K6Results(
      lines.map((line): Line => JSON.parse(line)),
      JSON.parse(await readFile(summaryFile, "utf8")),
    );
  }

  get oldestMs(): number {
    return this.samples.reduce((oldest, { timeMs }) => Math.min(oldest, timeMs), Infinity);
  }

  get newestMs(): number {
    return this.samples.reduce((newest, { timeMs }) => Math.max(newest, timeMs), -Infinity);
  }

  names(type: RawMetric["type"]): string[] {
    return [...this.#metrics].flatMap(([name, metric]) => (metric.type === type ? [name] : []));
  }

  thresholds(): Threshold[] {
    return Object.entries(this.#summary).flatMap(([metric, { thresholds = {} }]) =>
      Object.entries(thresholds).map(([threshold, hasFailed]) => ({
        metric,
        threshold,
        ok: !hasFailed,
      })),
    );
  }

  /**
   * The summary's count of each counter and of both sides of each rate, by `toKey`: what must be in the store, to
   * the last one.
   */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const name of this.names("counter")) {
      counts.set(toKey(`k6_${name}_total`), this.#summary[name]?.count ?? NaN);
    }
    for (const name of this.names("rate")) {
      const { passes = NaN, fails = NaN } = this.#summary[name] ?? {};
      counts.set(toKey(`k6_${name}_total`, "nonzero"), passes);
      counts.set(toKey(`k6_${name}_total`, "zero"), fails);
    }
    return counts;
  }

  /** The same of the samples, by these tags as well. */
  countsBy(tagNames: readonly string[]): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { metric, value, tags } of this.samples) {
      const add = (condition: string | undefined, increment: number): void => {
        const key = toKey(`k6_${metric}_total`, condition, tagNames, tags);
        counts.set(key, (counts.get(key) ?? 0) + increment);
      };
      const type = this.#metrics.get(metric)?.type;
      if (type === "counter") add(undefined, value);
      if (type !== "rate") continue;
      add("nonzero", value === 0 ? 0 : 1);
      add("zero", value === 0 ? 1 : 0);
    }
    return counts;
  }

  /** The newest value of a gauge by its time; of those in one millisecond, the one that k6 wrote last. */
  lastValue(gauge: string): number {
    const samples = this.samples.filter(({ metric }) => metric === gauge);
    const newestMs = Math.max(...samples.map(({ timeMs }) => timeMs));
    return samples.findLast(({ timeMs }) => timeMs === newestMs)?.value ?? NaN;
  }

  /** The summary's value of a gauge, which is that of the sample that reached k6's engine last. */
  summaryValue(gauge: string): number {
    return this.#summary[gauge]?.value ?? NaN;
  }

  /** In the unit of the store. */
  summaryP99(trend: string): number {
    return (this.#summary[trend]?.["p(99)"] ?? NaN) / this.#divisor(trend);
  }

  /** A trend's values in the unit of the store. */
  observations(trend: string, isWanted: (sample: RawSample) => boolean = () => true): number[] {
    return this.samples
      .filter((sample) => sample.metric === trend && isWanted(sample))
      .map(({ value }) => value / this.#divisor(trend));
  }

  /** The name of a trend's histogram. */
  family(trend: string): string {
    return `k6_${trend}${this.#divisor(trend) === 1 ? "" : "_seconds"}`;
  }

  /** Times are milliseconds in k6 and seconds in the store. */
  #divisor(trend: string): number {
    return this.#metrics.get(trend)?.contains === "time" ? 1_000 : 1;
  }
}

/** Of a series, or of several that have these tags in common. An empty tag is no label. */
export function toKey(
  series: string,
  condition?: string,
  tagNames: readonly string[] = [],
  tags: Readonly<Record<string, string>> = {},
): string {
  const named = [
    ["condition", condition ?? ""],
    ...tagNames.map((name) => [name, tags[name] ?? ""]),
  ];
  const labels = named.filter(([, value]) => value !== "");
  return `${series}{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join()}}`;
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

/**
 * Turns what a program records into samples: defines metrics, interns series, and knows what time it is.
 *
 * In:  names, tags and values of a program's own. Out: samples for a `SampleSink`.
 */
import type { Clock } from "../clock.ts";
import { UsageError } from "../errors.ts";
import { builtinMetrics } from "../sample/builtin-metrics.ts";
import type { Metric, MetricType, ValueKind } from "../sample/metric.ts";
import type { SampleSink } from "../sample/sample.ts";

/** k6's rule, but that a name of one letter will do. Source: k6 `metrics/registry.go`. */
const validName = /^[a-zA-Z_][a-zA-Z0-9_]{0,128}$/;

/**
 * Tags by name. They become labels; docs/metrics.md says how names and values are made valid. Numbers and booleans
 * are written as text; a tag that is `undefined` or empty is left out.
 */
export type TagValues = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RecorderOptions {
  readonly sink: SampleSink;
  readonly clock: Clock;
  /** So many spellings of a metric's tags are remembered. */
  readonly maxSpellings: number;
}

export class Recorder {
  readonly #sink: SampleSink;
  readonly #clock: Clock;
  readonly #maxSpellings: number;
  readonly #metrics = new Map<string, Metric>();
  /** Of each metric: tags as they were spelled, and the series' number. */
  readonly #series = new Map<Metric, Map<string, number>>();
  #isOver = false;

  constructor({ sink, clock, maxSpellings }: RecorderOptions) {
    this.#sink = sink;
    this.#clock = clock;
    this.#maxSpellings = maxSpellings;
  }

  /**
   * The metric of this name; one of k6's own names is as k6 has it, so that dashboards know it.
   *
   * @throws UsageError for a name that is none, and for a metric that is something else already
   */
  metric(name: string, type: MetricType, contains: ValueKind | undefined): Metric {
    if (!validName.test(name)) {
      throw new UsageError(
        `${JSON.stringify(name)} is not the name of a metric: expected letters, digits and "_", 129 at most, ` +
          "no digit first",
      );
    }
    const known = this.#metrics.get(name) ?? builtinMetrics.get(name);
    const metric = known ?? { name, type, contains: contains ?? "default" };
    if (metric.type !== type || (contains !== undefined && metric.contains !== contains)) {
      const whose = this.#metrics.has(name) ? "" : " of k6's";
      throw new UsageError(
        `metric ${JSON.stringify(name)} is a ${describe(metric)}${whose}, and cannot be a ` +
          `${describe({ type, contains: contains ?? metric.contains })} too`,
      );
    }
    this.#metrics.set(name, metric);
    return metric;
  }

  series(metric: Metric, tags: TagValues): number {
    let known = this.#series.get(metric);
    if (!known) {
      known = new Map();
      this.#series.set(metric, known);
    }
    const spelling = spell(tags);
    let seriesId = known.get(spelling);
    if (seriesId === undefined) {
      // The number of series is limited further on; that of spellings is not, e.g. where each has an id of its own.
      if (known.size >= this.#maxSpellings) known.clear();
      seriesId = this.#sink.series(metric, toTags(tags));
      known.set(spelling, seriesId);
    }
    return seriesId;
  }

  /** @throws UsageError after `end` */
  record(seriesId: number, value: number | boolean, timestampMs: number | undefined): void {
    if (this.#isOver) {
      throw new UsageError(
        "a sample was recorded after finish: the run is over, and its series are ended",
      );
    }
    // Without types a caller may pass a text, to which a sum would append.
    this.#sink.sample(
      seriesId,
      timestampMs === undefined ? this.#clock.nowMs() : Math.floor(timestampMs),
      Number(value),
    );
  }

  /** No sample can be recorded after it. */
  end(): void {
    this.#isOver = true;
  }
}

function describe({ type, contains }: Pick<Metric, "type" | "contains">): string {
  return contains === "default" ? type : `${type} of ${contains}`;
}

/** Distinct for distinct tags, as each text has its length before it. */
function spell(tags: TagValues): string {
  let spelling = "";
  for (const name of Object.keys(tags)) {
    const value = tags[name];
    if (value === undefined) continue;
    const text = String(value);
    spelling += `${name.length}:${name}${text.length}:${text}`;
  }
  return spelling;
}

function toTags(tags: TagValues): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(tags).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as const],
    ),
  );
}

/**
 * Counts what a run's thresholds are about, and what it has measured of each metric.
 *
 * In:  the same buckets as the outputs, with all their tags: relabelling and the limit of series do not concern it.
 * Out: a verdict on each threshold at any moment; totals per metric. One aggregate per metric and per submetric that a
 * threshold names, however many series they have.
 */
import { type MetricTotals, totalsOf } from "../../aggregate/metric-totals.ts";
import { Sink } from "../../aggregate/sink.ts";
import type { SeriesBuckets } from "../../cloud/metric-set-reader.ts";
import { metricStats } from "../../output/metric-stats.ts";
import type { Threshold } from "../../runs/run-record.ts";
import {
  judge,
  type Judgement,
  type MetricStats,
  type Moment,
  parseExpression,
  type ThresholdExpression,
} from "../../runs/threshold-expression.ts";
import { matches, type MetricSelector, parseSelector } from "../../runs/thresholds.ts";
import type { Metric } from "../../sample/metric.ts";
import type { Tags } from "../../sample/sample.ts";
import type { SampleBucket } from "../../sample/sample-bucket.ts";

interface Watched {
  readonly selector: MetricSelector;
  /** Once it is known what the metric is. */
  sink: Sink | undefined;
}

export class ThresholdWatch implements SeriesBuckets {
  readonly #expressions: readonly {
    readonly expression: ThresholdExpression;
    readonly watched: Watched;
  }[];
  readonly #watched = new Map<string, Watched>();
  readonly #byMetric = new Map<string, Sink>();
  /** By series id: series that are part of the same aggregates are one. */
  readonly #sinks: (readonly Sink[])[] = [];
  readonly #ids = new Map<string, number>();
  readonly #numbers = new Map<Sink, number>();

  /** @throws InputError for a threshold that cannot be understood */
  constructor(thresholds: readonly Pick<Threshold, "metric" | "expression">[]) {
    this.#expressions = thresholds.map(({ metric, expression }) => {
      const watched = this.#watched.get(metric) ?? {
        selector: parseSelector(metric),
        sink: undefined,
      };
      this.#watched.set(metric, watched);
      return { expression: parseExpression(expression), watched };
    });
  }

  series(metric: Metric, tags: Tags): number {
    let total = this.#byMetric.get(metric.name);
    if (total === undefined) {
      total = this.#createSink(metric);
      this.#byMetric.set(metric.name, total);
    }
    const sinks = [total];
    for (const watched of this.#watched.values()) {
      const { selector } = watched;
      if (selector.metric !== metric.name || !matches(selector, tags)) continue;
      if (selector.tags.size === 0) watched.sink = total;
      watched.sink ??= this.#createSink(metric);
      if (watched.sink !== total) sinks.push(watched.sink);
    }
    const key = sinks.map((sink) => this.#numbers.get(sink)).join();
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#sinks.push(sinks) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }

  bucket(seriesId: number, startMs: number, _lastMs: number, bucket: SampleBucket): void {
    for (const sink of this.#sinks[seriesId] ?? []) {
      // A metric that changes its type would be another one; k6 has none.
      if (sink.type === bucket.type) sink.addBucket(startMs, bucket);
    }
  }

  dropped(): void {}

  advanceTo(): void {}

  /** In the order of the thresholds. */
  judge(moment: Moment): Judgement[] {
    return this.#expressions.map(({ expression, watched }) =>
      judge(expression, watched.sink && statsOf(watched.sink), moment),
    );
  }

  totals(): MetricTotals[] {
    return totalsOf(this.#byMetric.values());
  }

  #createSink(metric: Metric): Sink {
    const sink = new Sink({ metric, outputs: [] });
    this.#numbers.set(sink, this.#numbers.size);
    return sink;
  }
}

function statsOf({ mapped, value, zeros, peak, trend }: Sink): MetricStats {
  return metricStats({ metric: mapped.metric, value, zeros, peak, ...(trend && { trend }) });
}

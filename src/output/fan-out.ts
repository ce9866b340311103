/**
 * Hands each sample to several sinks. With one sink there is nothing in between.
 */
import type { Metric } from "../sample/metric.ts";
import type { DropReason, SampleSink, Tags } from "../sample/sample.ts";

export function fanOut(sinks: readonly SampleSink[]): SampleSink {
  const [only] = sinks;
  return sinks.length === 1 && only ? only : new FanOut(sinks);
}

/** One id for each series of several sinks, which gave it ids of their own. */
export class SharedSeries {
  readonly #sinks: readonly Pick<SampleSink, "series">[];
  /** For each id that we give, the ids that the sinks gave. */
  readonly #ids: (readonly number[])[] = [];
  readonly #known = new Map<string, number>();

  constructor(sinks: readonly Pick<SampleSink, "series">[]) {
    this.#sinks = sinks;
  }

  series(metric: Metric, tags: Tags): number {
    const ids = this.#sinks.map((sink) => sink.series(metric, tags));
    const key = ids.join();
    let id = this.#known.get(key);
    if (id === undefined) {
      id = this.#ids.push(ids) - 1;
      this.#known.set(key, id);
    }
    return id;
  }

  /** In the order of the sinks. */
  idsOf(seriesId: number): readonly number[] {
    return this.#ids[seriesId] ?? [];
  }
}

class FanOut implements SampleSink {
  readonly #sinks: readonly SampleSink[];
  readonly #shared: SharedSeries;

  constructor(sinks: readonly SampleSink[]) {
    this.#sinks = sinks;
    this.#shared = new SharedSeries(sinks);
  }

  series(metric: Metric, tags: Tags): number {
    return this.#shared.series(metric, tags);
  }

  sample(seriesId: number, timestampMs: number, value: number): void {
    const ids = this.#shared.idsOf(seriesId);
    for (const [index, sink] of this.#sinks.entries()) {
      const id = ids[index];
      if (id !== undefined) sink.sample(id, timestampMs, value);
    }
  }

  dropped(reason: DropReason, samples?: number): void {
    for (const sink of this.#sinks) sink.dropped(reason, samples);
  }
}

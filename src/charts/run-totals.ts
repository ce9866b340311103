/**
 * What a run has counted and observed in all: up to its end, or its newest points.
 *
 * Native histograms are taken of each generator at its own end, where its series end; the quantiles of several generators
 * are those of all their observations.
 */
import { anyOf } from "../query/promql.ts";
import type { Labels, Store, Value } from "../query/store.ts";
import { fromRungs, inLadders } from "./classic-histogram.ts";
import { added, countOf, type Distribution } from "./distribution.ts";
import { generatorLabels } from "./growth.ts";
import type { RunSelectors } from "./run-selectors.ts";
import type { RunSpan } from "./run-span.ts";

/** A histogram is some 20 kB. */
const observedEndpoints = 200;

/** How far a generator's last points may lie before those of the others. */
const marginSeconds = 60;

export interface Observed {
  readonly distribution: Distribution;
  readonly count: number;
  readonly sum: number;
}

/** What one series, or one generator, has of it. */
interface Part {
  readonly labels: Labels;
  readonly distribution: Distribution;
  readonly sum: number;
}

export class RunTotals {
  readonly #store: Store;
  readonly #run: RunSelectors;
  readonly #span: RunSpan;

  constructor(store: Store, run: RunSelectors, span: RunSpan) {
    this.#store = store;
    this.#run = run;
    this.#span = span;
  }

  /** What a counter counted, by these labels. */
  async counted(
    series: string,
    by: readonly string[],
    matchers: string = "",
  ): Promise<readonly Value[]> {
    const expression = `sum by (${by.join(", ")}) (${this.#last(this.#run.k6(series, matchers))})`;
    return await this.#store.instant(expression, this.#at);
  }

  /**
   * What a trend observed, by the values of a label.
   *
   * @param by Default: none, and the one key is the empty text.
   */
  async observed(
    trend: string,
    { by = "", matchers = "" }: { readonly by?: string; readonly matchers?: string } = {},
  ): Promise<ReadonlyMap<string, Observed>> {
    const parts = new Map<string, { distributions: Distribution[]; sum: number }>();
    const found = await Promise.all([
      this.#natives(trend, by, matchers),
      this.#classics(trend, by, matchers),
    ]);
    for (const { labels, distribution, sum } of found.flat()) {
      const group = labels[by] ?? "";
      const part = parts.get(group) ?? { distributions: [], sum: 0 };
      part.distributions.push(distribution);
      part.sum += sum;
      parts.set(group, part);
    }
    return new Map(
      [...parts].map(([group, { distributions, sum }]) => {
        const distribution = added(distributions);
        return [group, { distribution, count: countOf(distribution), sum }];
      }),
    );
  }

  /** Requests by endpoint: counts of all, and what those that were asked most took. */
  async endpoints(): Promise<{
    readonly counts: ReadonlyMap<string, number>;
    readonly durations: ReadonlyMap<string, Observed>;
  }> {
    const values = await this.counted("k6_http_reqs_total", ["name"]);
    const most = values.toSorted((a, b) => b.value - a.value).slice(0, observedEndpoints);
    const names = most.map(({ labels }) => labels["name"] ?? "");
    const durations = await this.observed("k6_http_req_duration_seconds", {
      by: "name",
      matchers: values.length > names.length ? `name=~${anyOf(names)}` : "",
    });
    return {
      counts: new Map(values.map(({ labels, value }) => [labels["name"] ?? "", value])),
      durations,
    };
  }

  /** Names of endpoints by the seconds that all their requests took together, most first. */
  async busiest(limit: number): Promise<readonly string[]> {
    const trend = "k6_http_req_duration_seconds";
    const sums = (await this.isNative(trend))
      ? [this.#span.to, ...this.#span.ends.map(({ at }) => at)].map((at) =>
          this.#store.instant(`sum by (name) (histogram_sum(${this.#run.k6(trend)}))`, at),
        )
      : [this.counted(`${trend}_sum`, ["name"])];
    // Of generators that end one after the other, the most that was seen of an endpoint is good enough for an order.
    const seconds = new Map<string, number>();
    for (const { labels, value } of (await Promise.all(sums)).flat()) {
      const { name = "" } = labels;
      seconds.set(name, Math.max(seconds.get(name) ?? 0, value));
    }
    const names = [...seconds].toSorted(([, a], [, b]) => b - a);
    return names.slice(0, limit).map(([name]) => name);
  }

  /** Whether the store has native histograms of a trend. One that has none does not know their functions either. */
  async isNative(trend: string): Promise<boolean> {
    return (await this.#store.instant(`count(${this.#run.k6(trend)})`, this.#span.to)).length > 0;
  }

  async #natives(trend: string, by: string, matchers: string): Promise<Part[]> {
    const { ends, to } = this.#span;
    const labels = by === "" ? generatorLabels : `${by}, ${generatorLabels}`;
    const sums = (ofGenerator: string): string =>
      `sum by (${labels}) (${this.#run.k6(trend, matchers, ofGenerator)})`;
    const [living, ended] = await Promise.all([
      this.#store.instant(sums(""), to),
      Promise.all(ends.map((end) => this.#store.instant(sums(end.matchers), end.at))),
    ]);
    const isEnded = ({ labels: of }: Value): boolean =>
      ends.some(
        (end) =>
          end.labels["instance_id"] === of["instance_id"] &&
          end.labels["load_zone"] === of["load_zone"],
      );
    return [...living.filter((value) => !isEnded(value)), ...ended.flat()].map(
      ({ labels: of, histogram = [], sum = 0 }) => ({ labels: of, distribution: histogram, sum }),
    );
  }

  async #classics(trend: string, by: string, matchers: string): Promise<Part[]> {
    const own = by === "" ? [] : [by];
    const [buckets, seconds] = await Promise.all([
      this.counted(`${trend}_bucket`, ["le", ...own], matchers),
      this.counted(`${trend}_sum`, own, matchers),
    ]);
    return inLadders(buckets).map(({ labels, rungs }) => ({
      labels,
      distribution: fromRungs(rungs.map(({ upper, item }) => ({ upper, count: item.value }))),
      sum: seconds.find((value) => value.labels[by] === labels[by])?.value ?? 0,
    }));
  }

  /** A second after the last points, which a look back from there sees. */
  get #at(): number {
    return Math.ceil(this.#span.to) + 1;
  }

  /** The last value of each series in the run: of a counter, which began with it, the whole of it. */
  #last(selector: string): string {
    const seconds = Math.ceil(this.#at - this.#span.from) + marginSeconds;
    return `last_over_time(${selector}[${seconds}s])`;
  }
}

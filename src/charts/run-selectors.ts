/**
 * PromQL selectors of one run's series.
 */
import { builtinSeries } from "../encode/metric-names.ts";
import { quoted } from "../query/promql.ts";

export class RunSelectors {
  readonly #run: string;

  constructor(testid: string) {
    this.#run = `testid=${quoted(testid)}`;
  }

  /** @throws Error for what none of k6's own metrics is stored as: its chart would stay empty */
  k6(series: string, ...matchers: readonly string[]): string {
    if (!builtinSeries.has(series)) throw new Error(`no metric of k6 is stored as ${series}`);
    return this.own(series, ...matchers);
  }

  /** Of what Plimsoll writes beside k6's metrics. */
  own(series: string, ...matchers: readonly string[]): string {
    return `${series}{${[this.#run, ...matchers.filter((matcher) => matcher !== "")].join(", ")}}`;
  }
}

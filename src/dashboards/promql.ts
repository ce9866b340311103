/**
 * PromQL that the dashboards share. `$histogram` is the suffix of a trend's histogram, native or classic: see
 * `variables.ts`.
 */

/** The run that a dashboard shows. */
export const ofRun = 'testid="$testid"';

/**
 * Buckets of a k6 trend of times per second, native or classic, for `histogram_quantile` and heat maps. Summed over
 * everything but `by`.
 *
 * @param modifier Of the selector, e.g. ` offset 1h`, here and below. Default: none.
 */
export function buckets(
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
  modifier: string = "",
): string {
  const labels = ["le", ...by].join(", ");
  return `sum by (${labels}) (rate(k6_${metric}\${histogram}{${matchers}}[$__rate_interval]${modifier}))`;
}

/** A quantile of a k6 trend of times, in seconds. */
export function quantile(
  q: number,
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
  modifier: string = "",
): string {
  return `histogram_quantile(${q}, ${buckets(metric, matchers, by, modifier)})`;
}

/**
 * Seconds of a k6 trend of times per second, whichever kind of histogram there is. For `http_req_duration` that is the
 * mean number of requests in flight (Little's law).
 */
export function secondsPerSecond(
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
): string {
  const grouping = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  const name = `k6_${metric}_seconds`;
  const native = `sum${grouping} (histogram_sum(rate(${name}{${matchers}}[$__rate_interval])))`;
  const classic = `sum${grouping} (rate(${name}_sum{${matchers}}[$__rate_interval]))`;
  return `${native} or ${classic}`;
}

/** Events of a k6 counter, or samples of a k6 rate, per second. */
export function perSecond(
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
  modifier: string = "",
): string {
  const grouping = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  return `sum${grouping} (rate(k6_${metric}_total{${matchers}}[$__rate_interval]${modifier}))`;
}

/** Share of the samples of a k6 rate that are not zero, of those in the window: from counters, so that it adds up. */
export function share(
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
  modifier: string = "",
): string {
  const nonzero = perSecond(metric, `${matchers}, condition="nonzero"`, by, modifier);
  const all = perSecond(metric, matchers, by, modifier);
  return `${nonzero} / ${all}`;
}

/**
 * What is asked of `$histogram`, or else of classic ones: a run that came late into a store without out-of-order native
 * histograms, such as Prometheus 2, has no others.
 */
export function orClassic(expr: string): string {
  return `(${expr} or ${expr.replaceAll("${histogram}", "_seconds_bucket")})`;
}

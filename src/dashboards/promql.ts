/**
 * PromQL that the dashboards share. `$histogram` is the suffix of a trend's histogram, native or classic: see
 * `variables.ts`.
 */

/** The run that a dashboard shows. */
export const ofRun = 'testid="$testid"';

/**
 * Buckets of a k6 trend of times per second, native or classic, for `histogram_quantile` and heat maps. Summed over
 * everything but `by`.
 */
export function buckets(
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
): string {
  const labels = ["le", ...by].join(", ");
  return `sum by (${labels}) (rate(k6_${metric}\${histogram}{${matchers}}[$__rate_interval]))`;
}

/** A quantile of a k6 trend of times, in seconds. */
export function quantile(
  q: number,
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
): string {
  return `histogram_quantile(${q}, ${buckets(metric, matchers, by)})`;
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
): string {
  const grouping = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  return `sum${grouping} (rate(k6_${metric}_total{${matchers}}[$__rate_interval]))`;
}

/** Share of the samples of a k6 rate that are not zero, of those in the window: from counters, so that it adds up. */
export function share(
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
): string {
  const nonzero = perSecond(metric, `${matchers}, condition="nonzero"`, by);
  const all = perSecond(metric, matchers, by);
  return `${nonzero} / ${all}`;
}

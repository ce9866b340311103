/**
 * PromQL that the dashboards share. `$histogram` is the suffix of a trend's histogram, native or classic: see
 * `variables.ts`. A metric that k6 does not have is refused here, when the dashboards are generated.
 */
import { builtinSeries } from "../encode/metric-names.ts";

/** The run that a dashboard shows. */
export const ofRun = 'testid="$testid"';

/**
 * A series of a built-in metric of k6 by its name.
 *
 * @throws Error if there is none: its panel would stay empty
 */
export function k6(series: string): string {
  const name = `k6_${series}`;
  if (!builtinSeries.has(name)) throw new Error(`no metric of k6 is stored as ${name}`);
  return name;
}

/**
 * The last value of each series in the time range. For a counter, which begins with the run, that is the run's total
 * up to the range's end, to the last one; a series that has ended has none at that moment itself.
 */
export function last(series: string, matchers: string = ofRun): string {
  return `last_over_time(${series}{${matchers}}[$__range])`;
}

/**
 * Plimsoll's own metrics are stored with a run, and once more where somebody scrapes them: of each generator one is kept.
 *
 * @param by Labels of the metric's own that the answer keeps.
 */
export function once(expr: string, by: readonly string[] = []): string {
  return `max by (${["instance_id", "load_zone", ...by].join(", ")}) (${expr})`;
}

/** A quantile of a k6 trend of times since the run's start, in seconds. Over everything but `by`. */
export function wholeQuantile(
  q: number,
  metric: string,
  matchers: string = ofRun,
  by: readonly string[] = [],
): string {
  const series = `${trend(metric)}\${histogram}`;
  return quantileOfLast(q, `sum by (${["le", ...by].join(", ")})`, {
    last: last(series, matchers),
    now: `${series}{${matchers}}`,
    increase: `increase(${series}{${matchers}}[$__range])`,
  });
}

/**
 * A quantile of the last histogram of each series. Prometheus 2 has no `last_over_time` of native histograms: what it
 * answers instead is no histogram, so that the second half is asked. There a series that goes on counts as it is, and
 * one that has ended by its increase over the window, which is that of the run within a per cent or two.
 *
 * @param grouping E.g. `sum by (le)`.
 * @param of The same histograms in each of these ways.
 */
export function quantileOfLast(
  q: number,
  grouping: string,
  of: { readonly last: string; readonly now: string; readonly increase: string },
): string {
  const quantileOf = (expr: string): string => `histogram_quantile(${q}, ${grouping} (${expr}))`;
  return `(${quantileOf(of.last)} or ${quantileOf(`${of.now} or ${of.increase}`)})`;
}

/** Share of its cores that each host had busy: neither idle nor waiting for a disk. */
export function busyCores(matchers: string, modifier: string = ""): string {
  return `1 - avg by (instance) (sum by (instance, cpu) (rate(node_cpu_seconds_total{${matchers}, mode=~"idle|iowait"}[$__rate_interval]${modifier})))`;
}

const trend = (metric: string): string => k6(`${metric}_seconds`).replace(/_seconds$/, "");

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
  return `sum by (${labels}) (rate(${trend(metric)}\${histogram}{${matchers}}[$__rate_interval]${modifier}))`;
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
  const name = k6(`${metric}_seconds`);
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
  return `sum${grouping} (rate(${k6(`${metric}_total`)}{${matchers}}[$__rate_interval]${modifier}))`;
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

/**
 * Says what of a push cannot come from k6: what is not checked here may be believed by those who read it.
 *
 * A pushed number can be any: k6 hands on what a script adds, infinities too, which are counted and dropped later.
 */
import type { CloudMetric, CloudSeries, MetricSet } from "./metric-set.ts";
import type { TrendHdrValue } from "./hdr-histogram.ts";

/** Of 2^63 resolutions. Source: k6 `internal/ds/histogram/hdr.go`. */
const lastBucket = 7_296;
/** In seconds. k6's own is 3; a longer one would hide a run for as long. */
const longestPeriod = 3_600;

/** @throws Error with what is wrong first */
export function checkMetricSet({ aggregationPeriod, metrics }: MetricSet): void {
  if (aggregationPeriod < 1 || aggregationPeriod > longestPeriod) {
    throw new Error(`buckets of ${aggregationPeriod} s, expected 1 to ${longestPeriod}`);
  }
  for (const metric of metrics) checkMetric(metric);
}

function checkMetric({ name, type, timeSeries }: CloudMetric): void {
  const wrong = (what: string): Error => new Error(`metric ${JSON.stringify(name)} ${what}`);
  if (name === "") throw wrong("has no name");
  if (!(type >= 1 && type <= 4)) throw wrong(`is of type ${type}, expected 1 to 4`);
  for (const series of timeSeries) {
    if (typeOf(series) !== type) throw wrong("has samples of another type");
    for (const { time } of samplesOf(series))
      if (time === null) throw wrong("has a bucket without a time");
    for (const { nonzeroCount, totalCount } of series.rateSamples?.values ?? []) {
      if (nonzeroCount > totalCount) throw wrong(`has ${nonzeroCount} of ${totalCount} samples`);
    }
    for (const value of series.trendHdrSamples?.values ?? []) {
      const problem = problemOf(value);
      if (problem !== undefined) throw wrong(`has a histogram ${problem}`);
    }
  }
}

/** As in `CloudMetric.type`; 0 where there are no samples. */
function typeOf(series: CloudSeries): number {
  const kinds = [
    series.counterSamples,
    series.gaugeSamples,
    series.rateSamples,
    series.trendHdrSamples,
  ];
  return 1 + kinds.findIndex((kind) => kind !== null);
}

function samplesOf(series: CloudSeries): readonly { readonly time: unknown }[] {
  const { counterSamples, gaugeSamples, rateSamples, trendHdrSamples } = series;
  return (counterSamples ?? gaugeSamples ?? rateSamples ?? trendHdrSamples)?.values ?? [];
}

function problemOf(histogram: TrendHdrValue): string | undefined {
  const { counters, spans, count, minValue, maxValue, minResolution } = histogram;
  let [index, length] = [0, 0];
  for (const span of spans) {
    index += span.offset + span.length;
    length += span.length;
    // Checked at each span: of as many as fit into a push, each may be as long as a uint32.
    if (index > lastBucket + 1) return `with a bucket beyond ${lastBucket}`;
  }
  if (length !== counters.length) return `of ${counters.length} counts for ${length} buckets`;
  const { extraLowValuesCounter: low, extraHighValuesCounter: high } = histogram;
  const counted = counters.reduce((sum, one) => sum + one, low + high);
  if (counted !== count) return `of ${counted} observations, and a count of ${count}`;
  if (count === 0) return "of nothing";
  if (!(minValue <= maxValue)) return `from ${minValue} to ${maxValue}`;
  if (!(minResolution > 0 && minResolution < Infinity)) return `of resolution ${minResolution}`;
  return undefined;
}

/**
 * What a `ReceiverServer` was sent, as the questions that tests ask.
 */
import type { ReceivedRequest } from "./receiver-server.ts";

/** The names of all series, sorted. */
export function receivedNames(requests: readonly ReceivedRequest[]): string[] {
  const labels = requests.flatMap(({ series }) => series.flatMap((one) => one.labels));
  return [
    ...new Set(labels.flatMap(({ name, value }) => (name === "__name__" ? [value] : []))),
  ].sort();
}

/**
 * The newest value of the series with these labels, stale markers left out; of several series the sum.
 * `undefined` where there is none.
 */
export function receivedValue(
  requests: readonly ReceivedRequest[],
  wanted: Readonly<Record<string, string>>,
): number | undefined {
  const newest = new Map<string, number>();
  for (const { labels, samples } of requests.flatMap(({ series }) => series)) {
    const values = new Map(labels.map(({ name, value }) => [name, value]));
    if (!Object.entries(wanted).every(([name, value]) => values.get(name) === value)) continue;
    for (const { value, isStale } of samples) {
      if (!isStale) newest.set(JSON.stringify(labels), value);
    }
  }
  return newest.size === 0
    ? undefined
    : [...newest.values()].reduce((total, value) => total + value, 0);
}

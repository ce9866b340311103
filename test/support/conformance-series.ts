/**
 * What both specifications ask of a series over a whole run. Each check says how many it looked at.
 */
import { expect } from "vitest";
import type { RunReport } from "../../src/library/prometheus-remote-write.ts";
import { type ConformanceRun, labelOf, seriesOf } from "./conformance-run.ts";
import type { DecodedSeries } from "./decode-write-request.ts";

const pointsOf = (parts: readonly DecodedSeries[]) =>
  parts.flatMap(({ samples, histograms }) => [...samples, ...histograms]);

/** Every point is stored. */
export function expectDelivered({ points }: RunReport): void {
  expect(points.encoded).toBeGreaterThan(100);
  expect(points).toMatchObject({ delivered: points.encoded, pending: 0, rejected: {} });
}

/** Timestamps rise strictly within a series, over all requests. Returns the number of points. */
export function expectOrdered(run: ConformanceRun): number {
  let count = 0;
  for (const parts of seriesOf(run)) {
    const times = pointsOf(parts).map(({ timestampMs }) => timestampMs);
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    count += times.length;
  }
  return count;
}

/** Series of the generator's metrics; the run's own are kept for years, and are not ended. */
const endedSeries = (run: ConformanceRun) =>
  seriesOf(run).filter(([first]) => first && labelOf(first, "__name__")?.startsWith("k6_"));

/** The last point of each series is a stale marker, and no other. Returns the number of series. */
export function expectEnded(run: ConformanceRun): number {
  for (const parts of endedSeries(run)) {
    const stale = pointsOf(parts).map(({ isStale }) => isStale);
    expect(stale.indexOf(true), JSON.stringify(parts[0]?.labels)).toBe(stale.length - 1);
  }
  return endedSeries(run).length;
}

/** Every NaN has the bits of the stale marker, and stands at the end. Returns the number of markers. */
export function expectOnlyStaleNaN(run: ConformanceRun): number {
  let markers = 0;
  for (const parts of seriesOf(run)) {
    const points = parts.flatMap(({ samples, histograms }) => [
      ...samples.map(({ value, isStale }) => ({ value, isStale })),
      ...histograms.map(({ sum, isStale }) => ({ value: sum, isStale })),
    ]);
    for (const [index, { value, isStale }] of points.entries()) {
      expect(isStale).toBe(Number.isNaN(value));
      if (isStale) expect(index).toBe(points.length - 1);
      if (isStale) markers += 1;
    }
  }
  return markers;
}

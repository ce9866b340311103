/**
 * A `PointSink` that keeps what it is given, and checks what every receiver insists on: timestamps of a series
 * increase.
 */
import { expect } from "vitest";
import type { NativeHistogram } from "../../src/aggregate/exponential-histogram.ts";
import type { OutputSeries, PointSink } from "../../src/aggregate/series-point.ts";

export interface RecordedPoint {
  /** `name{label="value",…}` */
  readonly series: string;
  readonly timestampMs: number;
  /** A histogram's count; NaN for a stale marker. */
  readonly value: number;
  readonly kind: "float" | "histogram" | "stale";
  readonly startMs?: number;
}

export class RecordingPoints implements PointSink {
  readonly points: RecordedPoint[] = [];
  readonly intervals: number[] = [];
  /** The points of each request, none of them empty. */
  readonly requests: RecordedPoint[][] = [];
  #requested = 0;
  readonly #lastMs = new Map<number, number>();

  float(series: OutputSeries, timestampMs: number, value: number, startMs: number): void {
    this.#add(series, { timestampMs, value, kind: "float", startMs });
  }

  histogram(
    series: OutputSeries,
    timestampMs: number,
    { count }: NativeHistogram,
    startMs: number,
  ): void {
    this.#add(series, { timestampMs, value: count, kind: "histogram", startMs });
  }

  stale(series: OutputSeries, timestampMs: number): void {
    this.#add(series, { timestampMs, value: NaN, kind: "stale" });
  }

  requestEnd(): void {
    const request = this.points.slice(this.#requested);
    if (request.length > 0) this.requests.push(request);
    this.#requested = this.points.length;
  }

  intervalEnd(timestampMs: number): void {
    this.intervals.push(timestampMs);
    this.requestEnd();
  }

  /** The points of one series as `[timestampMs, value]`. */
  of(series: string): (readonly [number, number])[] {
    return this.points
      .filter((point) => point.series === series)
      .map(({ timestampMs, value }) => [timestampMs, value] as const);
  }

  #add(series: OutputSeries, point: Omit<RecordedPoint, "series">): void {
    expect(point.timestampMs).toBeGreaterThan(this.#lastMs.get(series.id) ?? -Infinity);
    this.#lastMs.set(series.id, point.timestampMs);
    this.points.push({ series: seriesText(series), ...point });
  }
}

export function seriesText({ labels }: OutputSeries): string {
  const name = labels.find((label) => label.name === "__name__")?.value ?? "";
  const rest = labels
    .filter((label) => label.name !== "__name__")
    .map((label) => `${label.name}=${JSON.stringify(label.value)}`);
  return `${name}{${rest.join(",")}}`;
}

import { array, assert, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { HdrHistogram, type HdrTotals } from "../../../src/cloud/hdr-histogram.ts";
import { hdrHistogram } from "../../support/encode-metric-set.ts";

interface Written extends HdrTotals {
  readonly counters: readonly number[];
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
}

/** One for all tests, as there is one for all values: nothing may stay of the one before. */
const histogram = new HdrHistogram();

function toObservations(written: Written): { values: number[]; counts: number[] } & HdrTotals {
  histogram.clear();
  for (const count of written.counters) histogram.addCount(count);
  for (const { offset, length } of written.spans) histogram.addSpan(offset, length);
  const { size, values, counts, sum, min, max } = histogram.toObservations(written);
  return {
    ...written,
    values: [...values.subarray(0, size)],
    counts: [...counts.subarray(0, size)],
    sum,
    min,
    max,
  };
}

const observationsOf = (values: readonly number[]): ReturnType<typeof toObservations> =>
  toObservations({ ...hdrHistogram(values), count: values.length });

/** One value per observation, ascending. */
function flat({ values, counts }: ReturnType<typeof toObservations>): number[] {
  return values
    .flatMap((value, at) => Array.from({ length: counts[at] ?? 0 }, () => value))
    .sort((a, b) => a - b);
}

const latency = double({ min: 0, max: 120_000, noNaN: true });

describe("HdrHistogram", () => {
  it("has each observation, half of 0.8 % or half a microsecond off at most", () => {
    assert(
      property(array(latency, { minLength: 1, maxLength: 60 }), (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const observed = flat(observationsOf(values));
        expect(observed).toHaveLength(values.length);
        for (const [at, value] of observed.entries()) {
          const exact = sorted[at] ?? NaN;
          const allowed = Math.max(0.0005, exact * 0.004) + 1e-9 * exact;
          expect(Math.abs(value - exact)).toBeLessThanOrEqual(allowed);
        }
      }),
    );
  });

  it("keeps sum, minimum and maximum as they are", () => {
    expect(observationsOf([12.5, 12.5, 300.2, 0.0004])).toMatchObject({
      sum: 12.5 + 12.5 + 300.2 + 0.0004,
      min: 0.0004,
      max: 300.2,
    });
  });

  it.each([[[-3.7]], [[-3.7, 0.0123]], [[-3.7, 0.0123, 9.87]], [[0, 0, 1e-7]]])(
    "knows up to three observations exactly: %j",
    (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      for (const [at, value] of flat(observationsOf(values)).entries()) {
        expect(value).toBeCloseTo(sorted[at] ?? NaN, 12);
      }
    },
  );

  it.each([
    { values: [5, 10, Infinity, 20, Infinity, 30], infinite: 2, finite: [5, 10, 20, 30] },
    { values: [-Infinity, 1, 2, 4, 8], infinite: 1, finite: [1, 2, 4, 8] },
    { values: [-Infinity, 3, Infinity], infinite: 2, finite: [3] },
    { values: [-4, -2, Infinity, 5], infinite: 1, finite: [-4, -2, 5] },
    { values: [7, Infinity], infinite: 1, finite: [7] },
    { values: [Infinity], infinite: 1, finite: [] },
  ])("tells infinite observations from the others: $values", ({ values, infinite, finite }) => {
    const observed = observationsOf(values);
    const all = flat(observed);
    expect(all.slice(finite.length)).toEqual(Array.from({ length: infinite }, () => Infinity));
    for (const [at, value] of finite.entries()) {
      expect(Math.abs((all[at] ?? NaN) - value)).toBeLessThanOrEqual(
        Math.abs(value) * 0.004 + 0.0005,
      );
    }
    const sum = finite.reduce((total, value) => total + value, 0);
    expect(Math.abs(observed.sum - sum)).toBeLessThanOrEqual(Math.abs(sum) * 0.005 + 0.002);
    expect(observed.min).toBeCloseTo(Math.min(...finite, finite.length === 0 ? 0 : Infinity), 1);
    expect(Number.isFinite(observed.max)).toBe(true);
  });

  it("counts observations below zero, which have no bucket, between the least and zero", () => {
    const observed = flat(observationsOf([-4, -3, -1, 5, 6]));
    expect(observed).toHaveLength(5);
    expect(observed[0]).toBe(-4);
    expect(observed.filter((value) => value < 0)).toHaveLength(3);
    expect(observed.at(-1)).toBe(6);
  });

  it("finds k6's own bucket of a value", () => {
    // k6 `internal/ds/histogram/hdr_test.go`: index 963 holds 12.5, and 1554 holds 300.2.
    const spans = [
      { offset: 963, length: 1 },
      { offset: 590, length: 1 },
    ];
    const { values, counts } = toObservations({
      counters: [3, 2],
      spans,
      sum: 637.9,
      count: 5,
      min: 12.48,
      max: 301,
      low: 0,
      high: 0,
      resolution: 0.001,
    });
    expect(values.map((value) => Math.round(value * 100) / 100)).toEqual([
      12.48, 12.51, 301, 300.03,
    ]);
    expect(counts).toEqual([1, 2, 1, 1]);
  });

  it("refuses buckets that k6 does not have, and counts of none", () => {
    histogram.clear();
    expect(() => histogram.addSpan(4_000_000_000, 4_000_000_000)).toThrow(RangeError);
    expect(() => toObservations({ ...hdrHistogram([1, 2, 3, 4]), spans: [] })).toThrow(
      "4 counts of 0 buckets",
    );
  });
});

import { array, assert, constantFrom, double, integer, oneof, property } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketIndex,
  ExponentialHistogram,
  trendSchema,
  upperBound,
  zeroThreshold,
} from "../../../src/aggregate/exponential-histogram.ts";

const positive = double({
  min: zeroThreshold,
  minExcluded: true,
  max: Number.MAX_VALUE,
  noNaN: true,
});
/** What load tests measure, in seconds. */
const latency = integer({ min: 1, max: 100_000_000 }).map((microseconds) => microseconds / 1e6);

function observed(values: readonly number[]): ExponentialHistogram {
  const histogram = new ExponentialHistogram();
  for (const value of values) histogram.observe(value);
  return histogram;
}

/** k6's quantile of raw values. Source: k6 `metrics/sink.go`. */
function exactQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const lower = sorted[Math.floor(rank)] ?? 0;
  const upper = sorted[Math.ceil(rank)] ?? 0;
  return lower + (upper - lower) * (rank - Math.floor(rank));
}

describe("bucketIndex", () => {
  it("finds the bucket whose bounds hold the value, for every double", () => {
    assert(
      property(oneof(positive, latency), (value) => {
        const index = bucketIndex(value);
        // The last bucket of all ends beyond the largest double.
        const bound = index === 1024 * 2 ** trendSchema ? Number.MAX_VALUE : upperBound(index);
        expect(value).toBeLessThanOrEqual(bound * (1 + 2e-15));
        expect(value).toBeGreaterThan(upperBound(index - 1) * (1 - 2e-15));
      }),
      { numRuns: 2_000 },
    );
  });

  it("puts a value on a bound into the bucket that the bound ends", () => {
    for (let exponent = -126; exponent <= 1_000; exponent++) {
      expect(bucketIndex(2 ** exponent)).toBe(exponent * 2 ** trendSchema);
    }
    // Schema 3 has every sixteenth of these bounds; the indexes are those of the reference.
    const schema3 = (value: number): number => Math.ceil(bucketIndex(value) / 16);
    expect([1, 0.25, 0.123, 1.0905, 1.52, 3.14].map(schema3)).toEqual([0, -16, -24, 1, 5, 14]);
  });

  it("is exact one step beside every bound of an octave", () => {
    const steps = 2 ** trendSchema;
    for (let bucket = 0; bucket < steps; bucket++) {
      const bound = 2 ** (bucket / steps);
      expect(bucketIndex(bound)).toBe(bucket);
      expect(bucketIndex(bound * (1 + Number.EPSILON))).toBe(bucket + 1);
    }
  });
});

describe("ExponentialHistogram", () => {
  /** Of which even a thousand have a finite sum: what goes beyond is refused. */
  const large = double({ min: 1, max: 1e300, noNaN: true });
  const value = oneof(latency, latency, constantFrom(0, -0, -1, -0.25, 1e-300), large);

  it("counts every observation once", () => {
    assert(
      property(array(value), (values) => {
        const { count, sum, zeroCount, positive: above, negative: below } = observed(values);
        const total = (counts: Float64Array, size: number): number =>
          counts.subarray(0, size).reduce((all, one) => all + one, 0);
        expect(count).toBe(values.length);
        expect(sum).toBe(values.reduce((all, one) => all + one, 0));
        expect(zeroCount + total(above.counts, above.size) + total(below.counts, below.size)).toBe(
          count,
        );
        const indexes = [...above.indexes.subarray(0, above.size)];
        expect(indexes).toEqual([...new Set(indexes)].toSorted((a, b) => a - b));
      }),
    );
  });

  it("gives every quantile within 1 % of the exact one", () => {
    assert(
      property(
        array(latency, { minLength: 1, maxLength: 300 }),
        constantFrom(0, 0.5, 0.9, 0.95, 0.99, 0.999, 1),
        (values, q) => {
          const exact = exactQuantile(values, q);
          expect(Math.abs(observed(values).quantile(q) / exact - 1)).toBeLessThan(0.01);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("gives quantiles of values below and at zero in their order", () => {
    const values = [-4, -2, -1, 0, 0, 1, 2];
    const histogram = observed(values);
    expect(histogram.quantile(0)).toBe(-4);
    expect(histogram.quantile(1)).toBe(2);
    for (const q of [0.1, 0.25, 0.5, 0.6, 0.9]) {
      expect(histogram.quantile(q)).toBeCloseTo(exactQuantile(values, q), 1);
    }
    expect(new ExponentialHistogram().quantile(0.5)).toBe(0);
  });

  it("merges in any order to what one histogram would have counted", () => {
    // Whole numbers, so that sums do not depend on their order.
    const whole = integer({ min: -1_000, max: 1_000_000 });
    assert(
      property(array(whole), array(whole), (left, right) => {
        const merged = observed(left);
        merged.merge(observed(right));
        const reversed = observed(right);
        reversed.merge(observed(left));
        expect(toPlain(merged)).toEqual(toPlain(observed([...left, ...right])));
        expect(toPlain(reversed)).toEqual(toPlain(merged));
      }),
    );
  });
});

function toPlain(histogram: ExponentialHistogram): unknown {
  const { count, sum, zeroCount, min, max, positive, negative } = histogram;
  const buckets = [positive, negative].map(({ size, indexes, counts }) => [
    [...indexes.subarray(0, size)],
    [...counts.subarray(0, size)],
  ]);
  return { count, sum, zeroCount, min, max, buckets };
}

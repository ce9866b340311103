import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { fromRungs, inLadders } from "../../../src/charts/classic-histogram.ts";
import { added, countOf, quantileOf, subtracted } from "../../../src/charts/distribution.ts";

const buckets = array(
  record({ at: integer({ min: 0, max: 20 }), count: integer({ min: 1, max: 9 }) }),
  {
    maxLength: 10,
  },
).map((list) => added([[], ...list.map(({ at, count }) => [{ lower: at, upper: at + 1, count }])]));

describe("a distribution", () => {
  it("is what was added to another, when that is subtracted", () => {
    assert(
      property(buckets, buckets, (some, others) => {
        const all = added([some, others]);
        expect(subtracted(all, others)).toEqual(some);
        expect(countOf(all)).toBe(countOf(some) + countOf(others));
      }),
    );
  });

  it("has quantiles that rise with their share and lie within its buckets", () => {
    assert(
      property(buckets, (distribution) => {
        const quantiles = [0, 0.5, 0.95, 1].map((q) => quantileOf(q, distribution));
        if (distribution.length === 0) {
          expect(quantiles).toEqual([null, null, null, null]);
          return;
        }
        expect(quantiles).toEqual(quantiles.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
        expect(quantiles[0]).toBeGreaterThanOrEqual(distribution[0]?.lower ?? 0);
        expect(quantiles[3]).toBe(distribution.at(-1)?.upper);
      }),
    );
  });

  it("takes what is above every bound of classic buckets as the highest bound", () => {
    const items = [
      ["+Inf", 10],
      ["0.1", 4],
      ["0.2", 8],
    ] as const;
    const [ladder] = inLadders(items.map(([le, value]) => ({ labels: { le, name: "a" }, value })));
    expect(ladder?.labels).toEqual({ name: "a" });
    const found = fromRungs(
      (ladder?.rungs ?? []).map(({ upper, item }) => ({ upper, count: item.value })),
    );
    expect(found.map(({ count }) => count)).toEqual([4, 4, 2]);
    expect(quantileOf(0.6, found)).toBeCloseTo(0.15, 10);
    expect(quantileOf(0.99, found)).toBe(0.2);
  });
});

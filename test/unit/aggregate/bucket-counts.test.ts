import { array, assert, constantFrom, integer, oneof, property, tuple } from "fast-check";
import { expect, it } from "vitest";
import { BucketCounts, SortedBuckets } from "../../../src/aggregate/bucket-counts.ts";

type Addition = readonly [index: number, count: number];

function counted(additions: readonly Addition[]): readonly Addition[] {
  const buckets = new BucketCounts();
  for (const [index, count] of additions) buckets.add(index, count);
  const { size, indexes, counts } = buckets.sorted(new SortedBuckets());
  expect(size).toBe(buckets.size);
  return Array.from({ length: size }, (_, at) => [indexes[at] ?? NaN, counts[at] ?? NaN]);
}

function summed(additions: readonly Addition[]): readonly Addition[] {
  const sums = new Map<number, number>();
  for (const [index, count] of additions) sums.set(index, (sums.get(index) ?? 0) + count);
  return [...sums].sort(([a], [b]) => a - b);
}

it("counts what a map would count, whatever comes in whatever order", () => {
  // Around one place, as latencies are, so that lists become tables; and now and then far off.
  const index = oneof(
    { arbitrary: integer({ min: -900, max: -500 }), weight: 9 },
    integer({ min: -4_000, max: 4_000 }),
  );
  const count = oneof(
    { arbitrary: integer({ min: 1, max: 3 }), weight: 9 },
    // What two bytes, and what the half of a number, cannot hold.
    constantFrom(65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40),
  );
  assert(
    property(array(tuple(index, count), { maxLength: 400, size: "max" }), (additions) => {
      expect(counted(additions)).toEqual(summed(additions));
    }),
    { numRuns: 300 },
  );
});

it.each([
  ["a list", 10],
  ["a table", 300],
])("goes on counting in %s beyond what a small count can hold", (_, size) => {
  const ones = Array.from({ length: size }, (_, index): Addition => [index, 1]);
  const additions = [...ones, [5, 65_534], [5, 1], [5, 2 ** 32], [5, 1]] as const;
  expect(counted(additions)).toEqual(summed(additions));
});

it("keeps all apart at both ends of what a double can be", () => {
  const additions = [-131_072, 131_072, -131_072, 0].map((index): Addition => [index, 1]);
  expect(counted(additions)).toEqual(summed(additions));
});

import { array, assert, double, integer, nat, oneof, property, record, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { WaitingBuckets } from "../../../../src/server/live/waiting-buckets.ts";
import type { SampleBucket } from "../../../../src/sample/sample-bucket.ts";

const number = double({ noNaN: true });
const anyBucket = oneof(
  number.map((sum): SampleBucket => ({ type: "counter", sum })),
  tuple(number, number, nat()).map(([last, max, count]): SampleBucket => ({
    type: "gauge",
    last,
    max,
    count,
  })),
  tuple(nat(), nat()).map(([nonzeros, zeros]): SampleBucket => ({ type: "rate", nonzeros, zeros })),
  record({ pairs: array(tuple(number, nat()), { size: "medium" }), sum: number }).map(
    ({ pairs, sum }): SampleBucket => ({
      type: "trend",
      observations: {
        size: pairs.length,
        values: Float64Array.from(pairs, ([value]) => value),
        counts: Float64Array.from(pairs, ([, count]) => count),
        count: pairs.length,
        sum,
        min: -1,
        max: 1,
      },
    }),
  ),
);

/** What of it may be looked at; it is used again. */
function copyOf(bucket: SampleBucket): unknown {
  if (bucket.type !== "trend") return { ...bucket };
  const { size, values, counts, ...rest } = bucket.observations;
  return {
    ...rest,
    values: Array.from(values.slice(0, size)),
    counts: Array.from(counts.slice(0, size)),
  };
}

describe("WaitingBuckets", () => {
  it("gives back what it was given, by time and then in order, whatever waits on", () => {
    const rounds = array(
      record({
        pushed: array(tuple(integer({ min: 0, max: 20 }), anyBucket), { maxLength: 60 }),
        beforeMs: integer({ min: 0, max: 21 }),
      }),
    );
    assert(
      property(rounds, (all) => {
        const waiting = new WaitingBuckets();
        let expected: (readonly [id: number, startMs: number, lastMs: number, bucket: unknown])[] =
          [];
        let id = 0;
        for (const { pushed, beforeMs } of [...all, { pushed: [], beforeMs: Infinity }]) {
          for (const [startMs, bucket] of pushed) {
            waiting.push(++id, startMs, startMs + 999, bucket);
            expected.push([id, startMs, startMs + 999, copyOf(bucket)]);
          }
          const taken: unknown[] = [];
          waiting.takeBefore(beforeMs, (seriesId, startMs, lastMs, bucket) =>
            taken.push([seriesId, startMs, lastMs, copyOf(bucket)]),
          );
          const due = expected.filter(([, startMs]) => startMs < beforeMs);
          expect(taken).toEqual(due.toSorted((a, b) => a[1] - b[1]));
          expected = expected.filter(([, startMs]) => startMs >= beforeMs);
        }
        expect(waiting.bytes).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("gives back the room that a burst took", () => {
    const waiting = new WaitingBuckets();
    const push = (count: number): void => {
      for (let n = 0; n < count; n++) waiting.push(n, 0, 999, { type: "counter", sum: n });
    };
    push(100_000);
    const burst = waiting.capacityBytes;
    for (let second = 0; second < 30; second++) {
      waiting.takeBefore(1, () => undefined);
      push(10);
    }
    expect(waiting.capacityBytes).toBeLessThan(burst / 50);
  });
});

import { array, assert, constantFrom, integer, option, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChartSet } from "../../../../src/charts/chart-data.ts";
import { NewSteps } from "../../../../src/server/live-feed/new-steps.ts";

type Values = readonly (number | null)[];

function setOf(first: number, values: Values): ChartSet {
  const chart = { id: "requests", title: "Requests", description: "", unit: "per_second" } as const;
  return {
    set: "run",
    step: 1,
    times: values.map((_, at) => first + at),
    charts: [{ ...chart, series: [{ name: "done", values }] }],
    missing: [],
  };
}

const valuesOf = (set: ChartSet | undefined): Values => set?.charts[0]?.series[0]?.values ?? [];

describe("new steps", () => {
  it("are all of the first set, without times that have no value yet", () => {
    const steps = new NewSteps().take(setOf(100, [null, 1, null, 2, null, null]));
    expect(steps?.times).toEqual([101, 102, 103]);
    expect(valuesOf(steps)).toEqual([1, null, 2]);
  });

  it("are none where the store says what it has said", () => {
    const steps = new NewSteps();
    steps.take(setOf(100, [1, 2, 3]));
    expect(steps.take(setOf(101, [2, 3]))).toBeUndefined();
    expect(steps.take(setOf(101, [null, null]))).toBeUndefined();
    expect(steps.take(setOf(101, [2, 3]))).toBeUndefined();
  });

  it("begin where a late sample has changed a value", () => {
    const steps = new NewSteps();
    steps.take(setOf(100, [1, 2, 3]));
    const changed = steps.take(setOf(100, [1, 5, 3, 4]));
    expect(changed?.times).toEqual([101, 102, 103]);
    expect(valuesOf(changed)).toEqual([5, 3, 4]);
  });

  it("put together are what the store has, whatever it said when", () => {
    const value = option(constantFrom(0, 1, 1.5, -1), { nil: null });
    const look = tuple(integer({ min: 0, max: 3 }), array(value, { maxLength: 6 }));
    assert(
      property(array(look), (looks) => {
        const steps = new NewSteps();
        const seen = new Map<number, number>();
        const stored = new Map<number, number>();
        let first = 0;
        for (const [ahead, values] of looks) {
          first += ahead;
          // A store forgets nothing: what it has said once has a value ever after.
          const answer = values.map((one, at) => one ?? stored.get(first + at) ?? null);
          for (const [at, one] of answer.entries()) if (one !== null) stored.set(first + at, one);
          const taken = steps.take(setOf(first, answer));
          for (const [at, one] of valuesOf(taken).entries()) {
            const time = taken?.times[at] ?? NaN;
            if (one !== null) seen.set(time, one);
          }
        }
        expect(seen).toEqual(stored);
      }),
    );
  });
});

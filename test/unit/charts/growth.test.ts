import { describe, expect, it } from "vitest";
import { growthOf, ratioOf, sumOf } from "../../../src/charts/growth.ts";

describe("the growth of a counter", () => {
  it.each([
    ["grows from nothing where it begins", [null, 3, 5], 0, [3, 2]],
    ["has what was counted before it was seen", [null, 3, 5], 2, [1, 2]],
    ["leaves out a first sum of which nobody knows", [null, 30, 35], undefined, [0, 5]],
    ["has all of a gap in the step behind it", [1, null, null, 9], 0, [null, null, 8]],
    ["counts what comes back once", [10, 4, 12], 0, [0, 2]],
  ] as const)("%s", (_, values, before, growth) => {
    expect(growthOf({ values }, before)).toEqual(growth);
  });

  it("adds up where there is a value, and is a share only of something", () => {
    expect(
      sumOf(
        [
          [1, null, null],
          [2, 3, null],
        ],
        3,
      ),
    ).toEqual([3, 3, null]);
    expect(ratioOf([1, null, 1], [4, 2, 0])).toEqual([0.25, 0, null]);
  });
});

import {
  array,
  assert,
  constantFrom,
  double,
  integer,
  option,
  property,
  uniqueArray,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTick } from "../../../src/web/chart/axis-text.ts";
import { keyTarget } from "../../../src/web/chart/key-target.ts";
import { lonelyPoints, nearestIndex, valueRange } from "../../../src/web/chart/scales.ts";
import { seriesStyle } from "../../../src/web/chart/series-style.ts";
import { seriesFigures, summarise, tableRows } from "../../../src/web/chart/summary.ts";

const units = ["count", "per_second", "seconds", "ratio", "bytes", "bytes_per_second"] as const;
const gappy = array(option(integer({ min: -9, max: 9 }), { nil: null }), { maxLength: 40 });

describe("valueRange", () => {
  it("begins at 0, holds the largest value, and has some height", () => {
    assert(
      property(
        constantFrom(...units),
        option(double({ min: 0, max: 1e12, noNaN: true })),
        (unit, max) => {
          const [low, high] = valueRange(unit, max);
          expect(low).toBe(0);
          expect(high).toBeGreaterThan(0);
          expect(high).toBeGreaterThanOrEqual(max ?? 0);
        },
      ),
    );
  });

  it("does not go beyond 100 % where nothing does", () => {
    expect(valueRange("ratio", 1)).toEqual([0, 1]);
    expect(valueRange("ratio", 0.97)).toEqual([0, 1]);
    expect(valueRange("ratio", 1.5)[1]).toBeGreaterThan(1.5);
  });
});

describe("lonelyPoints", () => {
  it("finds the values that have a gap on both sides", () => {
    expect(lonelyPoints([1, null, 2, null, null, 3, 4, null, 5])).toEqual([0, 2, 8]);
    expect(lonelyPoints([1, 2])).toEqual([]);
    expect(lonelyPoints([1])).toEqual([0]);
  });
});

describe("nearestIndex", () => {
  it("finds what looking at each would", () => {
    const times = uniqueArray(integer({ min: 0, max: 1_000 }), { minLength: 1 });
    assert(
      property(times, integer({ min: -50, max: 1_050 }), (unsorted, time) => {
        const sorted = unsorted.toSorted((a, b) => a - b);
        const found = sorted[nearestIndex(sorted, time)] ?? NaN;
        expect(Math.abs(found - time)).toBe(
          Math.min(...sorted.map((each) => Math.abs(each - time))),
        );
      }),
    );
  });

  it("is -1 where there is no time", () => {
    expect(nearestIndex([], 5)).toBe(-1);
  });
});

describe("keyTarget", () => {
  it("stays within what is shown, whatever is pressed", () => {
    const keys = [
      "ArrowLeft",
      "ArrowRight",
      "ArrowUp",
      "ArrowDown",
      "PageUp",
      "PageDown",
      "Home",
      "End",
    ];
    assert(
      property(constantFrom(...keys), integer({ min: 3, max: 20 }), (key, index) => {
        const target = keyTarget(key, index, { first: 3, last: 20 });
        expect(target).toBeGreaterThanOrEqual(3);
        expect(target).toBeLessThanOrEqual(20);
      }),
    );
  });

  it("goes by one, by ten, and to the ends", () => {
    const bounds = { first: 0, last: 99 };
    const targets = ["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"].map((key) =>
      keyTarget(key, 50, bounds),
    );
    expect(targets).toEqual([49, 51, 60, 40, 0, 99]);
  });

  it("leaves other keys to the page", () => {
    expect(keyTarget("Tab", 5, { first: 0, last: 9 })).toBeUndefined();
  });
});

describe("seriesStyle", () => {
  it("tells thirty series of a chart apart", () => {
    const looks = Array.from({ length: 30 }, (_, index) =>
      JSON.stringify(seriesStyle(index, `s${index}`)),
    );
    expect(new Set(looks).size).toBe(30);
  });

  it("gives what failed the same colour wherever it stands", () => {
    expect(seriesStyle(0, "failed").colour).toBe(seriesStyle(7, "failed").colour);
  });
});

describe("seriesFigures", () => {
  it("finds lowest, highest and last among the values that there are", () => {
    assert(
      property(gappy, (values) => {
        const known = values.filter((value) => value !== null);
        const times = values.map((_, index) => index * 10);
        const figures = seriesFigures(times, values);
        if (known.length === 0) {
          expect(figures).toBeNull();
          return;
        }
        expect(figures).toMatchObject({
          lowest: Math.min(...known),
          highest: Math.max(...known),
          last: known.at(-1),
        });
        expect(values[(figures?.highestAt ?? -1) / 10]).toBe(Math.max(...known));
      }),
    );
  });
});

describe("summarise", () => {
  it("says each series in a sentence, with units and when it was highest", () => {
    const series = [
      { name: "p50", values: [0.01, 0.02, 0.015] },
      { name: "p99", values: [null, 0.2, null] },
    ];
    expect(summarise({ unit: "seconds", series }, [60, 61, 62], "elapsed")).toBe(
      "p50: 10.0 ms to 20.0 ms (highest at 01:01), last 15.0 ms. p99: 200 ms all the time.",
    );
  });

  it("says that there is nothing", () => {
    expect(summarise({ unit: "seconds", series: [] }, [], "clock")).toBe("No values.");
  });
});

describe("tableRows", () => {
  it("has all times of a short chart, and evenly some of a long one with the last among them", () => {
    assert(
      property(integer({ min: 1, max: 100_000 }), (count) => {
        const rows = tableRows(count);
        expect(rows.length).toBeLessThanOrEqual(120);
        expect(rows.at(-1)).toBe(count - 1);
        expect(rows).toEqual([...new Set(rows)].toSorted((a, b) => a - b));
        if (count <= 120) expect(rows).toHaveLength(count);
      }),
    );
    expect(tableRows(0)).toEqual([]);
  });
});

describe("formatTick", () => {
  it("has no zeros behind the point, and keeps those before it", () => {
    expect(formatTick("seconds", 0.005)).toBe("5 ms");
    expect(formatTick("seconds", 0.0025)).toBe("2.5 ms");
    expect(formatTick("ratio", 0.1)).toBe("10 %");
    expect(formatTick("per_second", 200)).toBe("200/s");
    expect(formatTick("bytes_per_second", 0)).toBe("0 B/s");
  });
});

import { array, assert, constantFrom, double, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors.ts";
import {
  judge,
  parseExpression,
  type Judgement,
  type MetricStats,
} from "../../../src/runs/threshold-expression.ts";

const atEnd = { runSeconds: 10, isFinal: true };
const underWay = { runSeconds: 10, isFinal: false };

function verdict(text: string, stats: MetricStats | undefined, moment = underWay): Judgement {
  return judge(parseExpression(text), stats, moment);
}

/** With exact percentiles, by nearest rank. */
function trend(values: readonly number[]): MetricStats {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    type: "trend",
    count: values.length,
    sum: values.reduce((sum, value) => sum + value, 0),
    min: sorted[0] ?? NaN,
    max: sorted.at(-1) ?? NaN,
    percentile: (percent) => sorted[Math.ceil((percent / 100) * (sorted.length - 1))] ?? NaN,
  };
}

describe("an expression", () => {
  it.each([
    ["p(95)<500", { aggregation: "percentile", percent: 95, operator: "<", limit: 500 }],
    [
      " p( 99.9 ) <= 1e3 ",
      { aggregation: "percentile", percent: 99.9, operator: "<=", limit: 1_000 },
    ],
    ["med!=-0.5", { aggregation: "percentile", percent: 50, operator: "!=", limit: -0.5 }],
    ["rate===.5", { aggregation: "rate", percent: 0, operator: "===", limit: 0.5 }],
    ["count == 10.", { aggregation: "count", percent: 0, operator: "==", limit: 10 }],
    ["value>=0", { aggregation: "value", percent: 0, operator: ">=", limit: 0 }],
  ])("is read from %s", (text, expected) => {
    expect(parseExpression(text)).toEqual(expected);
  });

  it.each([
    ..."p(95) p(101)<1 p(-1)<1 p()<1 p95<1 p(95<1 mean<1 COUNT<1 count=<1 count<".split(" "),
    ..."count<1s count=1 count<>1 count<1<2 <1 count".split(" "),
    "",
    "count < 1 && rate > 2",
    "count<0x10",
  ])("is not read from %j", (text) => {
    expect(() => parseExpression(text)).toThrow(InputError);
    expect(() => parseExpression(text)).toThrow(/is not a threshold: expected .* "p\(95\)<500"$/);
  });

  it("is understood however it is spaced, and compares as its operator says", () => {
    const operators = {
      "<": (a: number, b: number) => a < b,
      "<=": (a: number, b: number) => a <= b,
      ">": (a: number, b: number) => a > b,
      ">=": (a: number, b: number) => a >= b,
      "==": (a: number, b: number) => a === b,
      "===": (a: number, b: number) => a === b,
      "!=": (a: number, b: number) => a !== b,
    };
    const names = Object.keys(operators) as (keyof typeof operators)[];
    const space = constantFrom("", " ", "  ");
    // Few values, so that many are equal.
    const value = integer({ min: -3, max: 3 });
    assert(
      property(constantFrom(...names), value, value, space, (operator, last, limit, gap) => {
        const text = `${gap}value${gap}${operator}${gap}${limit}${gap}`;
        const ok = operators[operator](last, limit);
        expect(verdict(text, { type: "gauge", last })).toEqual({ value: last, ok });
      }),
    );
  });
});

describe("judge", () => {
  const values = [100, 300, 200, 400];

  it.each<[string, MetricStats, number]>([
    ["count>10", { type: "counter", sum: 20 }, 20],
    ["rate>1", { type: "counter", sum: 20 }, 2],
    ["value>0", { type: "gauge", last: 7 }, 7],
    ["rate>0.7", { type: "rate", nonzero: 3, total: 4 }, 0.75],
    ["avg<251", trend(values), 250],
    ["min<101", trend(values), 100],
    ["max<401", trend(values), 400],
    ["med<301", trend(values), 300],
    ["p(100)<401", trend(values), 400],
  ])("compares %s with what it is of", (text, stats, value) => {
    expect(verdict(text, stats)).toEqual({ value, ok: true });
    expect(verdict(text.replace(/[<>]/, "=="), stats).ok).toBe(false);
  });

  const empty: readonly MetricStats[] = [
    { type: "counter", sum: undefined },
    { type: "gauge", last: undefined },
    { type: "rate", nonzero: 0, total: 0 },
    trend([]),
  ];

  it("waits for samples as long as there may be some", () => {
    for (const stats of [undefined, ...empty]) {
      expect(verdict("rate>0.5", stats)).toEqual({ value: undefined, ok: undefined });
    }
  });

  it("takes what has no samples at the end for 0, but lets a rate pass", () => {
    const [counter, gauge, rate, times] = empty;
    const failed = { value: undefined, ok: false };
    const passed = { value: undefined, ok: true };
    expect(verdict("count>0", counter, atEnd)).toEqual(failed);
    expect(verdict("count<1", counter, atEnd)).toEqual(passed);
    expect(verdict("rate>0", counter, atEnd)).toEqual(failed);
    expect(verdict("value>0", gauge, atEnd)).toEqual(failed);
    expect(verdict("p(95)>0", times, atEnd)).toEqual(failed);
    expect(verdict("p(95)<500", times, atEnd)).toEqual(passed);
    expect(verdict("rate>0.9", rate, atEnd)).toEqual(passed);
    // Of a metric that never came not even the type is known.
    expect(verdict("rate>0.9", undefined, atEnd)).toEqual(passed);
    expect(verdict("count>0", undefined, atEnd)).toEqual(failed);
  });

  it("takes a counter for one that has samples also when they add up to 0", () => {
    expect(verdict("count>0", { type: "counter", sum: 0 })).toEqual({ value: 0, ok: false });
  });

  it("has no verdict where the metric's type has no such aggregation, or no time has passed", () => {
    const none = { value: undefined, ok: undefined };
    expect(verdict("p(95)<1", { type: "counter", sum: 1 }, atEnd)).toEqual(none);
    expect(verdict("count<1", trend([1]), atEnd)).toEqual(none);
    expect(verdict("rate<1", { type: "gauge", last: 1 }, atEnd)).toEqual(none);
    expect(verdict("value<1", { type: "rate", nonzero: 1, total: 1 }, atEnd)).toEqual(none);
    const atOnce = { runSeconds: 0, isFinal: true };
    expect(verdict("rate<1", { type: "counter", sum: 1 }, atOnce)).toEqual(none);
  });

  it("finds the extremes of a trend within their own limits, whatever was measured", () => {
    const samples = array(double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    assert(
      property(samples, integer({ min: 0, max: 100 }), (some, percent) => {
        const stats = trend(some);
        const of = (name: string) => verdict(`${name}>=0`, stats).value ?? NaN;
        expect(of(`p(${percent})`)).toBeGreaterThanOrEqual(of("min"));
        expect(of(`p(${percent})`)).toBeLessThanOrEqual(of("max"));
        expect(verdict(`p(${percent})<=${of("max")}`, stats).ok).toBe(true);
      }),
    );
  });
});

import { assert, double, integer, property } from "fast-check";
import { expect, it } from "vitest";
import { backoffMs, parseRetryAfterMs } from "../../../src/send/backoff.ts";

const noJitter = () => 0;

it("doubles from 100 ms up to 10 s", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2000].map((retry) =>
    backoffMs(retry, undefined, noJitter),
  );
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
});

it("adds up to a fifth, and never falls below the delay before", () => {
  const random = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  assert(
    property(integer({ min: 1, max: 6 }), random, random, (retry, first, second) => {
      const delayMs = backoffMs(retry, undefined, () => first);
      expect(delayMs).toBeGreaterThanOrEqual(100 * 2 ** (retry - 1));
      expect(delayMs).toBeLessThanOrEqual(120 * 2 ** (retry - 1));
      expect(backoffMs(retry + 1, undefined, () => second)).toBeGreaterThan(delayMs);
    }),
  );
});

it.each([
  { asked: 1, waited: 1 },
  { asked: 30_000, waited: 30_000 },
  { asked: 86_400_000, waited: 120_000 },
])("waits $waited ms where the receiver asks for $asked ms", ({ asked, waited }) => {
  expect(backoffMs(5, asked, () => 0.5)).toBe(waited);
});

const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0);
it.each([
  { value: "7", expected: 7000 },
  { value: " 7 ", expected: 7000 },
  { value: "Thu, 01 Jan 2026 12:00:30 GMT", expected: 30_000 },
  { value: "Thursday, 01-Jan-26 12:00:30 GMT", expected: 30_000 },
  { value: "0", expected: undefined },
  { value: "-5", expected: undefined },
  { value: "1.5", expected: undefined },
  { value: "Thu, 01 Jan 2026 11:59:59 GMT", expected: undefined },
  { value: "soon", expected: undefined },
  { value: "soon GMT", expected: undefined },
  { value: "", expected: undefined },
])("reads Retry-After $value as $expected", ({ value, expected }) => {
  expect(parseRetryAfterMs(value, nowMs)).toBe(expected);
});

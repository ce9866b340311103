import { assert, bigInt, double, integer, oneof, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonNumberParser } from "../../../src/sample/json-number.ts";

const parser = new JsonNumberParser();

function parse(text: string, after = ","): number {
  const value = parser.parse(Buffer.from(`${text}${after}"tags"`), 0);
  if (!Number.isNaN(value)) expect(parser.endOffset).toBe(text.length);
  return value;
}

describe("JsonNumberParser", () => {
  it("gives the same double as JSON.parse, for every number that JSON can spell", () => {
    const finite = double({ noNaN: true, noDefaultInfinity: true });
    // What k6 measures: nanoseconds as milliseconds.
    const milliseconds = integer({ min: 0 }).map((nanoseconds) => nanoseconds / 1e6);
    const long = bigInt({ min: 0n, max: 10n ** 30n }).map((digits) => Number(digits) / 1e7);
    assert(
      property(oneof(finite, milliseconds, long), (value) => {
        for (const text of [JSON.stringify(value), value.toExponential()]) {
          expect(parse(text)).toBe(JSON.parse(text));
          expect(parse(text, "}")).toBe(JSON.parse(text));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    "0",
    "-0",
    "1",
    "9007199254740993",
    "0.1",
    "123456789012345",
    "1234567890123456",
    "1e308",
  ])("reads %s exactly", (text) => {
    expect(parse(text)).toBe(Number(text));
  });

  it("gives infinity for a number that is too large, which the pipeline counts as not finite", () => {
    expect(parse("1e999")).toBe(Infinity);
  });

  it.each(["", "-", "01", "1.", ".5", "+1", "1e", "0x10", "NaN", "+Inf", '"1"', "null", "1 "])(
    "refuses %j",
    (text) => {
      expect(parse(text)).toBeNaN();
    },
  );
});

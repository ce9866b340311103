import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { defaultExpectStatus, parseExpectStatus } from "../../../src/generate/expect-status.ts";

describe("parseExpectStatus", () => {
  it.each([
    { text: defaultExpectStatus, expected: [200, 302, 399], unexpected: [0, 199, 400, 500] },
    {
      text: "200,201,3xx,400-404",
      expected: [200, 201, 300, 399, 400, 404],
      unexpected: [202, 405],
    },
    { text: " 200 , 5XX ", expected: [200, 500, 599], unexpected: [499, 600] },
    { text: "404", expected: [404], unexpected: [200] },
    { text: "200-200", expected: [200], unexpected: [201] },
  ])("takes $text", ({ text, expected, unexpected }) => {
    const isExpected = parseExpectStatus(text);
    expect(expected.filter(isExpected)).toEqual(expected);
    expect(unexpected.filter(isExpected)).toEqual([]);
  });

  it.each(["", "200,", "2x", "20", "600", "404-400", "200-2xx", "all", "200;201"])(
    "refuses %j and says what it expects",
    (text) => {
      expect(() => parseExpectStatus(text)).toThrow(UsageError);
      expect(() => parseExpectStatus(text)).toThrow(/expected statuses from 100 to 599/);
    },
  );
});

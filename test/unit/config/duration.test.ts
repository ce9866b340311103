import { assert, nat, property } from "fast-check";
import { expect, it } from "vitest";
import { formatDuration, parseDurationMs } from "../../../src/config/duration.ts";
import { UsageError } from "../../../src/errors.ts";

it.each([
  ["250", 250],
  ["0", 0],
  ["1.5", 1.5],
  ["5s", 5_000],
  ["1m30s", 90_000],
  ["1h0m0.5s", 3_600_500],
  ["1.001s", 1_001],
  [".5s", 500],
  ["12d", 1_036_800_000],
  ["1d12h", 129_600_000],
  ["100us", 0.1],
  ["100µs", 0.1],
  ["100μs", 0.1],
  ["1ns", 1e-6],
  ["6739d12h22m30s709ms", 582_294_150_709],
])("reads %j as %d ms, as k6 does", (text, durationMs) => {
  expect(parseDurationMs(text)).toBe(durationMs);
});

it.each(["", "s", "5 s", "-5s", "5x", "1h1d", "1.5d", "1e3s", "5s3", "٣s", "Infinity"])(
  "refuses %j",
  (text) => {
    expect(() => parseDurationMs(text)).toThrow(UsageError);
    expect(() => parseDurationMs(text)).toThrow(
      `${JSON.stringify(text)} is not a duration: expected one such as "500ms", "5s" or "1m30s"`,
    );
  },
);

it("reads back every duration that it writes", () => {
  assert(property(nat(1e12), (ms) => parseDurationMs(formatDuration(ms)) === ms));
});

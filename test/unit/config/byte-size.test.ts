import { assert, maxSafeNat, property } from "fast-check";
import { expect, it } from "vitest";
import { formatBytes, parseBytes } from "../../../src/config/byte-size.ts";
import { UsageError } from "../../../src/errors.ts";

it.each([
  ["0", 0],
  ["1048576", 1_048_576],
  ["512MiB", 536_870_912],
  ["512 mib", 536_870_912],
  ["10GB", 10_000_000_000],
  ["1.5KiB", 1_536],
  ["0.1GiB", 107_374_182],
  ["7B", 7],
])("reads %j as %d bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

it.each(["", "MiB", "-1", "1XB", "1e3", "1,5MiB", "99999TiB", "1 M B"])("refuses %j", (text) => {
  expect(() => parseBytes(text)).toThrow(UsageError);
  expect(() => parseBytes(text)).toThrow(`${JSON.stringify(text)} is not a size`);
});

it("reads back every size that it writes", () => {
  assert(property(maxSafeNat(), (bytes) => parseBytes(formatBytes(bytes)) === bytes));
});

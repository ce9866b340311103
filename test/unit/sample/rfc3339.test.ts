import { assert, constantFrom, date, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteView } from "../../../src/sample/byte-view.ts";
import { Rfc3339Parser } from "../../../src/sample/rfc3339.ts";

const parser = new Rfc3339Parser();

function parse(text: string): { ms: number; end: number } {
  const ms = parser.parse(new ByteView(Buffer.from(text)), 0);
  return { ms, end: parser.endOffset };
}

describe("Rfc3339Parser", () => {
  it("gives the milliseconds that Date.parse gives, whatever the digits and the offset", () => {
    const moment = date({
      min: new Date("0000-01-01T00:00:00Z"),
      max: new Date("9999-12-31T00:00:00Z"),
      noInvalidDate: true,
    });
    const offset = constantFrom("Z", "+00:00", "+02:00", "-07:00", "+05:45", "-00:30", "+23:59");
    assert(
      property(moment, integer({ min: 0, max: 9 }), offset, (when, digits, zone) => {
        const seconds = when.toISOString().slice(0, 19);
        const fraction = digits === 0 ? "" : `.${"987654321".slice(0, digits)}`;
        const text = `${seconds}${fraction}${zone}`;
        expect(parse(`${text}"`)).toEqual({ ms: Date.parse(text), end: text.length });
      }),
    );
  });

  it("cuts off what is finer than a millisecond, as k6's own output does", () => {
    expect(parse("2026-08-21T10:15:42.123999999Z").ms).toBe(Date.UTC(2026, 7, 21, 10, 15, 42, 123));
  });

  it("is not misled by the minute that it remembers", () => {
    const minutes = ["2026-08-21T10:15:00Z", "2026-08-21T10:16:00Z", "2025-08-21T10:16:00Z"];
    for (const text of [...minutes, ...minutes]) expect(parse(text).ms).toBe(Date.parse(text));
  });

  it.each([
    "",
    "now",
    "1787312142",
    "2026-08-21",
    "2026-08-21T10:15:42",
    "2026-08-21T10:15:42.Z",
    "2026-08-21T10:15:60Z",
    "2026-08-21T24:15:42Z",
    "2026-13-21T10:15:42Z",
    "2026-02-31T10:15:42Z",
    "2026-08-21 10:15:42Z",
    "2026-08-21T10:15:42+2:00",
    "2026-08-21T10:15:42+0200",
    "2026-08-21T10:15:4",
  ])("refuses %j", (text) => {
    expect(parse(text).ms).toBeNaN();
  });

  it("refuses every time that has one character replaced by a letter", () => {
    const text = "2026-08-21T10:15:42.123Z";
    assert(
      property(tuple(integer({ min: 0, max: text.length - 1 })), ([at]) => {
        expect(parse(`${text.slice(0, at)}x${text.slice(at + 1)}`).ms).toBeNaN();
      }),
    );
  });
});

it("is not misled by the time that it remembers", () => {
  const parser = new Rfc3339Parser();
  const line = (text: string): readonly [number, number] => {
    const ms = parser.parse(new ByteView(Buffer.from(text)), 0);
    return [ms, parser.endOffset];
  };
  for (const end of ["", '"', '",', "5", '"']) {
    // One time is the beginning of the next.
    for (const time of [
      "2026-08-21T10:15:42.1Z",
      "2026-08-21T10:15:42.12Z",
      "2026-08-21T10:15:42.1Z",
    ]) {
      expect(line(`${time}${end}`)).toEqual([Date.parse(time), time.length]);
    }
  }
});

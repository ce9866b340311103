import { assert, double, property } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatChange,
  formatCount,
  formatNumber,
  formatPlural,
  formatRate,
  formatRatio,
  formatSeconds,
  formatValue,
} from "../../../src/web/format/number.ts";

describe("numbers of the page", () => {
  const rows = [
    [formatCount, 7302, "7,302"],
    [formatCount, 1_234_567, "1,234,567"],
    [formatNumber, 0, "0"],
    [formatNumber, 0.1234, "0.123"],
    [formatNumber, 1.2, "1.20"],
    [formatNumber, 12.34, "12.3"],
    [formatNumber, 123.4, "123"],
    [formatNumber, 0.00001, "1.0e-5"],
    [formatRate, 12_345.6, "12,346/s"],
    [formatSeconds, 0, "0 ms"],
    [formatSeconds, 0.000_85, "850 µs"],
    [formatSeconds, 0.000_999_6, "1.00 ms"],
    [formatSeconds, 0.0123, "12.3 ms"],
    [formatSeconds, 0.999_6, "1.00 s"],
    [formatSeconds, 61.2, "61.2 s"],
    [formatRatio, 0, "0 %"],
    [formatRatio, 1, "100 %"],
    [formatRatio, 0.0123, "1.23 %"],
    [formatBytes, 950, "950 B"],
    [formatBytes, 12_345, "12.3 kB"],
    [formatBytes, 999_950, "1.00 MB"],
    [formatChange, 0.123, "+12.3 %"],
    [formatChange, -0.04, "−4.00 %"],
    [formatChange, 0, "±0 %"],
  ] as const;
  it.each(rows.map(([format, value, text]) => ({ format, name: format.name, value, text })))(
    "$name($value) is $text",
    ({ format, value, text }) => {
      expect(format(value)).toBe(text);
    },
  );

  it("never writes that nothing happened where something did, nor that all did where one did not", () => {
    expect(formatRatio(1 / 1_000_000)).toBe("< 0.01 %");
    expect(formatRatio(1 - 1 / 1_000_000)).toBe("> 99.99 %");
    assert(
      property(double({ min: Number.MIN_VALUE, max: 1, maxExcluded: true }), (ratio) => {
        expect(["0 %", "0.00 %", "100 %", "100.00 %"]).not.toContain(formatRatio(ratio));
      }),
    );
  });

  it("never writes a thousand of a unit that has a larger one", () => {
    assert(
      property(double({ min: 0, max: 0.999, noNaN: true }), (seconds) => {
        expect(formatSeconds(seconds)).not.toMatch(/^1,?000 (µs|ms)/);
      }),
    );
    assert(
      property(double({ min: 0, max: 1e12, noNaN: true }), (bytes) => {
        expect(formatBytes(bytes)).not.toMatch(/^1,?000 (B|kB|MB)/);
      }),
    );
  });

  it("has a dash where there is no value, in each unit", () => {
    const units = ["count", "per_second", "seconds", "ratio", "bytes", "bytes_per_second"] as const;
    for (const unit of units) expect(formatValue(unit, null)).toBe("–");
    expect(formatValue("bytes_per_second", 1_500)).toBe("1.50 kB/s");
  });

  it("counts one thing as one", () => {
    expect([formatPlural(1, "run"), formatPlural(1_200, "run")]).toEqual(["1 run", "1,200 runs"]);
  });
});

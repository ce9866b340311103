/**
 * Numbers as the page writes them: with thousands separators, and a unit wherever there is one.
 *
 * The page is in English, so its numbers are, too, whatever the browser's language: `1,234.5` must not be read as 1.2345.
 * What there is no value for is a dash.
 */
import type { Unit } from "../../charts/chart-data.ts";

/** Where there is no value. */
export const noValue = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const threeDigits = new Intl.NumberFormat("en", {
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
});
const hundredths = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/** `7,302` */
export function formatCount(value: number | null): string {
  return value === null ? noValue : whole.format(value);
}

/** Three significant digits, all of them where there are more: `0.123`, `12.3`, `123`, `1,234`. */
export function formatNumber(value: number | null): string {
  if (value === null) return noValue;
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return whole.format(value);
  // Not to be nothing where it is something.
  if (size < 0.000_5) return value.toExponential(1);
  return threeDigits.format(value);
}

/** `123/s` */
export function formatRate(perSecond: number | null): string {
  return perSecond === null ? noValue : `${formatNumber(perSecond)}/s`;
}

/** Of latencies: `850 µs`, `12.3 ms`, `1.23 s`. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return noValue;
  const size = Math.abs(seconds);
  if (size === 0) return "0 ms";
  // 999.6 µs are written as 1.00 ms, and 999.6 ms as 1.00 s.
  if (size < 0.000_999_5) return `${formatNumber(seconds * 1_000_000)} µs`;
  if (size < 0.999_5) return `${formatNumber(seconds * 1_000)} ms`;
  return `${formatNumber(seconds)} s`;
}

/** `1.23 %`. Neither what happened is written as 0 %, nor what did not always happen as 100 %. */
export function formatRatio(ratio: number | null): string {
  if (ratio === null) return noValue;
  if (ratio > 0 && ratio < 0.000_05) return "< 0.01 %";
  if (ratio < 1 && ratio > 0.999_95) return "> 99.99 %";
  if (ratio === 0 || ratio === 1) return `${ratio * 100} %`;
  return `${hundredths.format(ratio * 100)} %`;
}

/** `950 B`, `12.3 kB`, `4.56 MB`: powers of 1 000. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return noValue;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  // 999.9 kB are written as 1.00 MB.
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 ? whole.format(value) : formatNumber(value)} ${units[unit]}`;
}

/** A value of a chart, in the chart's unit. */
export function formatValue(unit: Unit, value: number | null): string {
  switch (unit) {
    case "count":
      // 50 VUs are not 50.0; a mean of counts may be 12.3.
      return Number.isInteger(value) ? formatCount(value) : formatNumber(value);
    case "per_second":
      return formatRate(value);
    case "seconds":
      return formatSeconds(value);
    case "ratio":
      return formatRatio(value);
    case "bytes":
      return formatBytes(value);
    case "bytes_per_second":
      return value === null ? noValue : `${formatBytes(value)}/s`;
  }
}

/** How much more or less: `+12.3 %`, `−4.00 %`, `±0 %`. */
export function formatChange(ratio: number | null): string {
  if (ratio === null) return noValue;
  const size = `${formatNumber(Math.abs(ratio) * 100)} %`;
  return ratio === 0 ? "±0 %" : `${ratio > 0 ? "+" : "−"}${size}`;
}

/** `1 run`, `2 runs` */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/**
 * Reads the times that k6 writes, straight from bytes.
 *
 * In:  RFC 3339 with 0 to 9 fraction digits and `Z` or a numeric offset, as Go prints it.
 * Out: Unix milliseconds, truncated like k6's own Prometheus output truncates them.
 *
 * The samples of one request have one time, and those of one minute share its beginning: both are remembered.
 * Source: k6 `internal/output/json/wrapper.go`; Go `time.Time.MarshalJSON`.
 */

import { ByteView } from "./byte-view.ts";

const zero = 0x30;
const nine = 0x39;
/** Bytes of `2026-08-21T10:15:`, what identifies a minute. */
const minuteLength = 17;
/** Bytes of `2026-08-21T10:15:42.123456789+02:00"`. */
const longestTime = 36;

/** The Gregorian calendar repeats after 146 097 days. */
const fourCenturiesMs = 146_097 * 86_400_000;

/** Parses one time after the other; not re-entrant. */
export class Rfc3339Parser {
  /** The first byte after the time that was last parsed. */
  endOffset = 0;
  readonly #minute = new ByteView(Buffer.alloc(minuteLength));
  #minuteMs = NaN;
  /** The time that was parsed last, with the byte after it, so that it is known to end there. */
  readonly #last = new ByteView(Buffer.alloc(longestTime));
  #lastLength = 0;
  #lastMs = NaN;
  readonly #single = new Float64Array(1);

  /**
   * Unix milliseconds of the time that starts at `offset`, or NaN if there is none.
   * `endOffset` is then where it ends.
   */
  parse(view: ByteView, offset: number): number {
    return this.parseInto(view, offset, this.#single, 0) ? (this.#single[0] ?? NaN) : NaN;
  }

  /** Writes what `parse` gives to `into[at]`; false, and nothing is written, if there is no time. */
  parseInto(view: ByteView, offset: number, into: Float64Array, at: number): boolean {
    if (this.#lastLength > 0 && view.equals(offset, this.#last, 0, this.#lastLength)) {
      this.endOffset = offset + this.#lastLength - 1;
      into[at] = this.#lastMs;
      return true;
    }
    this.#lastLength = 0;
    const timestampMs = this.#parseTime(view, offset);
    if (Number.isNaN(timestampMs)) return false;
    into[at] = timestampMs;
    const length = this.endOffset + 1 - offset;
    if (length <= longestTime && this.endOffset < view.bytes.length) {
      const last = this.#last.bytes;
      // `copy` would make an object for each of its two ends.
      for (let i = 0; i < length; i++) last[i] = view.bytes[offset + i] ?? 0;
      this.#lastLength = length;
      this.#lastMs = timestampMs;
    }
    return true;
  }

  #parseTime(view: ByteView, offset: number): number {
    const bytes = view.bytes;
    const minuteMs = view.equals(offset, this.#minute, 0, minuteLength)
      ? this.#minuteMs
      : this.#parseMinute(bytes, offset);
    let at = offset + minuteLength;
    const tens = (bytes[at] ?? 0) - zero;
    const ones = (bytes[at + 1] ?? 0) - zero;
    if (!(tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9)) return NaN;
    at += 2;
    let ms = 0;
    if (bytes[at] === 0x2e /* . */) {
      at++;
      const fractionStart = at;
      let scale = 100;
      for (; ; at++) {
        const digit = (bytes[at] ?? 0) - zero;
        if (!(digit >= 0 && digit <= 9)) break;
        ms += digit * scale;
        // 100, 10, 1, then 0: digits beyond the millisecond are cut off.
        scale = scale === 1 ? 0 : scale / 10;
      }
      if (at === fractionStart) return NaN;
    }
    const sign = bytes[at];
    let offsetMs = 0;
    if (sign === 0x5a /* Z */) {
      at++;
    } else if (sign === 0x2b /* + */ || sign === 0x2d /* - */) {
      const hours = twoDigits(bytes, at + 1);
      const minutes = twoDigits(bytes, at + 4);
      if (!(hours <= 23 && minutes <= 59) || bytes[at + 3] !== 0x3a /* : */) return NaN;
      offsetMs = (hours * 60 + minutes) * 60_000;
      if (sign === 0x2d) offsetMs = -offsetMs;
      at += 6;
    } else {
      return NaN;
    }
    this.endOffset = at;
    return minuteMs + (tens * 10 + ones) * 1_000 + ms - offsetMs;
  }

  #parseMinute(bytes: Uint8Array, offset: number): number {
    const year = twoDigits(bytes, offset) * 100 + twoDigits(bytes, offset + 2);
    const month = twoDigits(bytes, offset + 5);
    const day = twoDigits(bytes, offset + 8);
    const hours = twoDigits(bytes, offset + 11);
    const minutes = twoDigits(bytes, offset + 14);
    const isSeparated =
      bytes[offset + 4] === 0x2d &&
      bytes[offset + 7] === 0x2d &&
      bytes[offset + 10] === 0x54 &&
      bytes[offset + 13] === 0x3a &&
      bytes[offset + 16] === 0x3a;
    if (!isSeparated || !(month >= 1 && month <= 12) || !(hours <= 23 && minutes <= 59)) return NaN;
    // Date.UTC takes the years 0 to 99 for 1900 to 1999, so it is asked about one 400 years later.
    const minuteMs = Date.UTC(year + 400, month - 1, day, hours, minutes) - fourCenturiesMs;
    // Date.UTC carries 31 February over into March.
    if (new Date(minuteMs).getUTCDate() !== day) return NaN;
    this.#minute.bytes.set(bytes.subarray(offset, offset + minuteLength));
    this.#minuteMs = minuteMs;
    return minuteMs;
  }
}

/** Two decimal digits as a number, or NaN. */
function twoDigits(bytes: Uint8Array, offset: number): number {
  const tens = bytes[offset] ?? 0;
  const ones = bytes[offset + 1] ?? 0;
  if (tens < zero || tens > nine || ones < zero || ones > nine) return NaN;
  return (tens - zero) * 10 + (ones - zero);
}

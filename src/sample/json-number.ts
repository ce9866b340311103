/**
 * Reads a JSON number straight from bytes, to the same double that `JSON.parse` gives.
 *
 * Up to 15 digits without an exponent are an exact integer divided by an exact power of ten, which IEEE 754
 * rounds correctly in one step (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990). All
 * that k6 measures is of that kind. The rest goes through `Number`.
 */

const zero = 0x30;
const powersOfTen = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));
const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Parses one number after the other; not re-entrant. */
export class JsonNumberParser {
  /** The first byte after the number that was last parsed. */
  endOffset = 0;
  readonly #single = new Float64Array(1);

  /** The number that starts at `offset` and ends before a `,` or `}`, or NaN if there is none. */
  parse(bytes: Buffer, offset: number): number {
    return this.parseInto(bytes, offset, this.#single, 0) ? (this.#single[0] ?? NaN) : NaN;
  }

  /** Writes what `parse` gives to `into[index]`; false, and nothing is written, if there is no number. */
  parseInto(bytes: Buffer, offset: number, into: Float64Array, index: number): boolean {
    let at = offset;
    const isNegative = bytes[at] === 0x2d; /* - */
    if (isNegative) at++;
    const firstDigit = at;
    let mantissa = 0;
    let digit = (bytes[at] ?? 0) - zero;
    while (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digit = (bytes[++at] ?? 0) - zero;
    }
    let digits = at - firstDigit;
    let fractionDigits = 0;
    if (bytes[at] === 0x2e /* . */) {
      const firstFraction = ++at;
      digit = (bytes[at] ?? 0) - zero;
      while (digit >= 0 && digit <= 9) {
        mantissa = mantissa * 10 + digit;
        digit = (bytes[++at] ?? 0) - zero;
      }
      fractionDigits = at - firstFraction;
      digits += fractionDigits;
      if (fractionDigits === 0) return this.#parseAny(bytes, offset, into, index);
    }
    const after = bytes[at];
    const wholeDigits = digits - fractionDigits;
    const hasLeadingZero = bytes[firstDigit] === zero && wholeDigits > 1;
    if (wholeDigits === 0 || digits > 15 || hasLeadingZero || (after !== 0x2c && after !== 0x7d)) {
      return this.#parseAny(bytes, offset, into, index);
    }
    this.endOffset = at;
    // 15 digits fit a double exactly, and 10 to the 15th does too.
    const value = fractionDigits === 0 ? mantissa : mantissa / (powersOfTen[fractionDigits] ?? NaN);
    into[index] = isNegative ? -value : value;
    return true;
  }

  #parseAny(bytes: Buffer, offset: number, into: Float64Array, index: number): boolean {
    let at = offset;
    // The longest double that Go or JavaScript prints has 24 characters; 400 is any sane spelling.
    while (at - offset < 400 && at < bytes.length && bytes[at] !== 0x2c && bytes[at] !== 0x7d) at++;
    this.endOffset = at;
    const text = bytes.toString("latin1", offset, at);
    if (!jsonNumber.test(text)) return false;
    into[index] = Number(text);
    return true;
  }
}

/**
 * Writes protobuf fields into one growing buffer.
 *
 * protobufjs' `Writer` allocates an operation object per field; `npm run bench -- encode` shows both. This one
 * allocates nothing in the steady state. Field tags are written by the caller as bytes: they are constants.
 *
 * Source: protobuf encoding, protobuf.dev/programming-guides/encoding.
 */

/** The stale marker's bits, as two little-endian words. Source: Prometheus `model/value/value.go`. */
const staleLow = 0x00000002;
const staleHigh = 0x7ff00000;

/** Up to here a loop is faster than a call of `set` (measured on Node 20, x86-64). */
const longestLoop = 64;

export class ByteWriter {
  #bytes: Buffer;
  #view: DataView;
  length = 0;

  constructor(capacity: number = 1 << 16) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#view = viewOf(this.#bytes);
  }

  /** What has been written; valid until the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + count));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }

  /** One byte: a field's tag. Room must have been reserved, as for all that follow. */
  byte(value: number): void {
    this.#bytes[this.length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. At most 8 bytes. */
  varint(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    // Beyond 32 bits, bitwise operators would cut the number.
    while (rest > 0x7fffffff) {
      bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.length++] = rest;
  }

  /** A signed whole number, small ones short. At most 8 bytes. */
  zigzag(value: number): void {
    const folded = value >= 0 ? value * 2 : -value * 2 - 1;
    if (folded <= 0x7f) this.#bytes[this.length++] = folded;
    else this.varint(folded);
  }

  double(value: number): void {
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** The NaN that ends a series. As a number, an engine might change its bits. */
  staleMarker(): void {
    this.#view.setUint32(this.length, staleLow, true);
    this.#view.setUint32(this.length + 4, staleHigh, true);
    this.length += 8;
  }

  /** All of `bytes`. */
  raw(bytes: Uint8Array): void {
    this.#copy(bytes, 0, bytes.length);
  }

  /** What another writer holds, from `start` to `end`. */
  append(other: ByteWriter, start: number = 0, end: number = other.length): void {
    if (end - start > longestLoop) {
      this.#copy(other.#bytes, start, end);
      return;
    }
    const source = other.#view;
    const target = this.#view;
    let to = this.length;
    let from = start;
    for (; from + 4 <= end; from += 4, to += 4)
      target.setInt32(to, source.getInt32(from, true), true);
    for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from));
    this.length = to;
  }

  /** Replaces a byte that has been written. */
  patch(offset: number, value: number): void {
    this.#bytes[offset] = value;
  }

  #copy(source: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let to = this.length;
    if (end - start <= longestLoop) {
      for (let from = start; from < end; from++, to++) bytes[to] = source[from] ?? 0;
    } else {
      bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), to);
    }
    this.length += end - start;
  }
}

/**
 * A number that is written again and again, such as the timestamp that all points of an interval share: its
 * bytes are made when it changes.
 */
export class RepeatedVarint {
  readonly #bytes = new ByteWriter(16);
  #value = 0;

  constructor() {
    this.#bytes.varint(0);
  }

  /** How many bytes `value` takes; `write` then writes them. */
  prepare(value: number): number {
    if (value !== this.#value) {
      this.#value = value;
      this.#bytes.length = 0;
      this.#bytes.varint(value);
    }
    return this.#bytes.length;
  }

  write(writer: ByteWriter): void {
    writer.append(this.#bytes);
  }
}

/** How many bytes `varint` writes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

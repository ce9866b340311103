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
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
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

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
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

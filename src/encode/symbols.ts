/**
 * The symbol table of remote write 2.0: each string of a request once, and small numbers in its place.
 *
 * Strings get a number for good when they are first seen, and their bytes are made then. Per request only the
 * strings in use get a place in the table; a stamp says in which request a place was given, so that beginning
 * a new request clears nothing.
 *
 * Source: Remote-Write 2.0, "Symbols": `symbols[0]` is the empty string and must be written.
 */
import { ByteWriter } from "./byte-writer.ts";

export class Symbols {
  readonly #numbers = new Map<string, number>();
  /** Each string as a field: 22 len bytes. */
  readonly #fields: Uint8Array[] = [];
  #stamps: Uint32Array = new Uint32Array(1024);
  #places: Uint32Array = new Uint32Array(1024);
  #stamp = 0;
  #used = 0;
  readonly #table = new ByteWriter(1 << 15);

  constructor() {
    this.begin();
  }

  /** The strings in use, as fields, in the order of their places. Valid until the next call. */
  get table(): Uint8Array {
    return this.#table.written;
  }

  /** The permanent number of a string. */
  number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#fields.length;
    const bytes = Buffer.from(text);
    const field = new ByteWriter(bytes.length + 8);
    field.byte(0x22);
    field.varint(bytes.length);
    field.raw(bytes);
    this.#fields.push(field.written);
    this.#numbers.set(text, number);
    if (number === this.#stamps.length) {
      this.#stamps = grown(this.#stamps);
      this.#places = grown(this.#places);
    }
    return number;
  }

  /** Begins a new request with nothing but the empty string. */
  begin(): void {
    this.#stamp++;
    this.#used = 0;
    this.#table.length = 0;
    this.place(this.number(""));
  }

  /** The place of a string in the request's table; gives it one if it has none. */
  place(number: number): number {
    if (this.#stamps[number] === this.#stamp) return this.#places[number] ?? 0;
    const place = this.#used++;
    this.#stamps[number] = this.#stamp;
    this.#places[number] = place;
    const field = this.#fields[number] ?? new Uint8Array();
    this.#table.reserve(field.length);
    this.#table.raw(field);
    return place;
  }
}

function grown(array: Uint32Array): Uint32Array {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

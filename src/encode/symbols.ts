/**
 * The symbol table of remote write 2.0: each string of a request once, and small numbers in its place.
 *
 * Strings get a number for good when they are first seen, and their bytes are made then. Places in a table are
 * given in the order of first use, so a table's beginning is a table too: `truncate` goes back to one without
 * clearing anything. A string has a place if the place says so as well (the sparse set of Briggs and Torczon,
 * "An Efficient Representation for Sparse Sets", 1993).
 *
 * Source: Remote-Write 2.0, "Symbols": `symbols[0]` is the empty string and must be written.
 */
import type { Label } from "../aggregate/series-point.ts";
import { ByteStrings, grown } from "./byte-strings.ts";
import { ByteWriter } from "./byte-writer.ts";

/** Where a field is put together. */
const field = new ByteWriter(1 << 10);

export class Symbols {
  readonly #numbers = new Map<string, number>();
  /** Each string as a field: 22 len bytes. */
  readonly #fields = new ByteStrings();
  #count = 0;
  /** By a string's number: its place, if it has one. */
  #places: Uint32Array = new Uint32Array(1024);
  /** By place: the string's number, and where its field ends in `table`. */
  #numberAt: Uint32Array = new Uint32Array(1024);
  #endAt: Uint32Array = new Uint32Array(1024);
  /** Labels are shared by series: by label, where the numbers of its name and its value are in `#pairs`. */
  readonly #labels = new Map<Label, number>();
  #pairs: Uint32Array = new Uint32Array(256);
  /** Places given. */
  size = 0;
  /** The strings in use, as fields, in the order of their places. */
  readonly table: ByteWriter = new ByteWriter(1 << 15);

  constructor() {
    this.place(this.number(""));
  }

  /** The permanent number of a string. */
  number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#count++;
    const bytes = Buffer.from(text);
    field.length = 0;
    field.reserve(bytes.length + 8);
    field.byte(0x22);
    field.varint(bytes.length);
    field.raw(bytes);
    this.#fields.set(number, field.written);
    this.#numbers.set(text, number);
    if (number === this.#places.length) {
      const capacity = number * 2;
      this.#places = grown(this.#places, capacity);
      this.#numberAt = grown(this.#numberAt, capacity);
      this.#endAt = grown(this.#endAt, capacity);
    }
    return number;
  }

  placeOfName(label: Label): number {
    const pair = this.#pairOf(label);
    return this.place(this.#pairs[pair] ?? 0);
  }

  placeOfValue(label: Label): number {
    const pair = this.#pairOf(label);
    return this.place(this.#pairs[pair + 1] ?? 0);
  }

  /** May replace `#pairs`, which is to be looked at only after it. */
  #pairOf(label: Label): number {
    const known = this.#labels.get(label);
    if (known !== undefined) return known;
    const pair = this.#labels.size * 2;
    if (pair === this.#pairs.length) this.#pairs = grown(this.#pairs, pair * 2);
    this.#pairs[pair] = this.number(label.name);
    this.#pairs[pair + 1] = this.number(label.value);
    this.#labels.set(label, pair);
    return pair;
  }

  /** The place of a string in the table; gives it one if it has none. */
  place(number: number): number {
    const known = this.#places[number] ?? 0;
    if (known < this.size && this.#numberAt[known] === number) return known;
    const place = this.size++;
    this.#places[number] = place;
    this.#numberAt[place] = number;
    this.table.reserve(this.#fields.length(number));
    this.#fields.write(number, this.table);
    this.#endAt[place] = this.table.length;
    return place;
  }

  /** Takes back all places but the first `size`, at least 1. */
  truncate(size: number): void {
    this.size = size;
    this.table.length = this.tableLength(size);
  }

  /** How many bytes of `table` the first `size` places take. */
  tableLength(size: number): number {
    return this.#endAt[size - 1] ?? 0;
  }
}

/**
 * Byte strings by a small number, end to end in pages: an array object for each would take more than its bytes.
 */
import { ByteWriter } from "./byte-writer.ts";

/** A string is in one page; a longer one has a page to itself. */
const pageBits = 16;

export class ByteStrings {
  readonly #pages: ByteWriter[] = [];
  /** By number: the page, then the offset in it. */
  #starts: Uint32Array = new Uint32Array(256);
  #lengths: Uint32Array = new Uint32Array(256);

  /** The length of a string; 0 if there is none of this number. */
  length(number: number): number {
    return this.#lengths[number] ?? 0;
  }

  /** Keeps a copy of `bytes`, which are not empty. */
  set(number: number, bytes: Uint8Array): void {
    let page = this.#pages.at(-1);
    if (!page || page.length + bytes.length > 1 << pageBits) {
      page = new ByteWriter(Math.max(1 << pageBits, bytes.length));
      this.#pages.push(page);
    }
    if (number >= this.#starts.length) {
      const capacity = Math.max(number + 1, this.#starts.length * 2);
      this.#starts = grown(this.#starts, capacity);
      this.#lengths = grown(this.#lengths, capacity);
    }
    this.#starts[number] = (this.#pages.length - 1) * (1 << pageBits) + page.length;
    this.#lengths[number] = bytes.length;
    page.raw(bytes);
  }

  /** Appends a string to a writer that has room for it. */
  write(number: number, writer: ByteWriter): void {
    const start = this.#starts[number] ?? 0;
    const page = this.#pages[start >>> pageBits];
    if (!page) return;
    const offset = start & ((1 << pageBits) - 1);
    writer.append(page, offset, offset + this.length(number));
  }
}

export function grown(array: Uint32Array, capacity: number): Uint32Array {
  const larger = new Uint32Array(capacity);
  larger.set(array);
  return larger;
}

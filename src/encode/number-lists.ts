/**
 * Lists of numbers by a small number, end to end in one array: an array object for each would take more than they do.
 */
import { grown } from "./byte-strings.ts";

export class NumberLists {
  /** Each list: its length, then its numbers. */
  #numbers: Uint32Array = new Uint32Array(1024);
  #length = 1;
  /** Where the list of a number is; 0 if there is none. */
  #starts: Uint32Array = new Uint32Array(256);

  /** Where the list's first number is for `at`; 0 if there is no list. */
  start(list: number): number {
    const start = this.#starts[list] ?? 0;
    return start === 0 ? 0 : start + 1;
  }

  /** How many numbers the list that starts there has. */
  lengthAt(start: number): number {
    return this.#numbers[start - 1] ?? 0;
  }

  at(position: number): number {
    return this.#numbers[position] ?? 0;
  }

  add(list: number, numbers: readonly number[]): void {
    const end = this.#length + 1 + numbers.length;
    if (end > this.#numbers.length) {
      this.#numbers = grown(this.#numbers, Math.max(end, this.#numbers.length * 2));
    }
    if (list >= this.#starts.length) {
      this.#starts = grown(this.#starts, Math.max(list + 1, this.#starts.length * 2));
    }
    this.#starts[list] = this.#length;
    this.#numbers[this.#length] = numbers.length;
    this.#numbers.set(numbers, this.#length + 1);
    this.#length = end;
  }
}

/**
 * The label sets of the series that are kept, in little memory: one object for each distinct label, and a number for
 * each set.
 *
 * A set is looked up without adding anything, so that what is not kept leaves no trace.
 */
import type { Label } from "../aggregate/series-point.ts";

const none = -1;

export class LabelSets {
  /** Label name to value to label. */
  readonly #labels = new Map<string, Map<string, PooledLabel>>();
  #labelCount = 0;
  /** By number, each with the labels of the pool. */
  readonly #sets: (readonly PooledLabel[])[] = [];
  /** Open addressing; a power of two, at most half full. */
  #slots: Int32Array = new Int32Array(1024).fill(none);

  get size(): number {
    return this.#sets.length;
  }

  /** The number of a set, or -1. */
  find(labels: readonly Label[]): number {
    const known: PooledLabel[] = [];
    for (const label of labels) {
      const one = this.#find(label);
      if (!one) return none;
      known.push(one);
    }
    return this.#slots[this.#slotOf(known)] ?? none;
  }

  /** Adds a set that `find` did not find, and returns it with the labels that all sets share. */
  add(labels: readonly Label[]): readonly Label[] {
    if (this.size * 2 >= this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2).fill(none);
      for (const [number, set] of this.#sets.entries()) this.#slots[this.#slotOf(set)] = number;
    }
    const set = labels.map((label) => this.#find(label) ?? this.#addLabel(label));
    this.#slots[this.#slotOf(set)] = this.#sets.push(set) - 1;
    return set;
  }

  /** The set of a number. */
  at(number: number): readonly Label[] | undefined {
    return this.#sets[number];
  }

  /** Where the set is, or the empty slot that it would have. */
  #slotOf(set: readonly PooledLabel[]): number {
    // As in ByteView.hash: multiplicative, with a shift so that every number reaches the low bits.
    let hash = set.length;
    for (const label of set) {
      hash = Math.imul(hash ^ label.number, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] ?? none;
      if (number === none || isSame(this.#sets[number] ?? [], set)) return slot;
    }
  }

  #find({ name, value }: Label): PooledLabel | undefined {
    return this.#labels.get(name)?.get(value);
  }

  #addLabel({ name, value }: Label): PooledLabel {
    let values = this.#labels.get(name);
    if (!values) {
      values = new Map();
      this.#labels.set(name, values);
    }
    const label = new PooledLabel(name, value, this.#labelCount++);
    values.set(value, label);
    return label;
  }
}

function isSame(a: readonly PooledLabel[], b: readonly PooledLabel[]): boolean {
  return a.length === b.length && a.every((label, index) => label === b[index]);
}

class PooledLabel implements Label {
  readonly name: string;
  readonly value: string;
  readonly #number: number;

  constructor(name: string, value: string, number: number) {
    this.name = name;
    this.value = value;
    this.#number = number;
  }

  /** Dense, from 0. */
  get number(): number {
    return this.#number;
  }
}

/**
 * One object for each distinct label, shared by all series that have it, and short keys for label sets.
 *
 * Labels stay for good, so only those of series that are kept belong here: a series is looked up by `keyOf` first,
 * which adds nothing.
 */
import type { Label } from "../aggregate/series-point.ts";

export class LabelPool {
  /** Label name to value to label. */
  readonly #labels = new Map<string, Map<string, PooledLabel>>();
  #count = 0;

  /** The same labels, each the one object that stands for it. */
  intern(labels: readonly Label[]): readonly Label[] {
    return labels.map((label) => this.#find(label) ?? this.#add(label));
  }

  /** Distinct for distinct lists of labels; undefined if one of them was never interned. */
  keyOf(labels: readonly Label[]): string | undefined {
    const numbers: number[] = [];
    for (const label of labels) {
      const known = this.#find(label);
      if (!known) return undefined;
      numbers.push(known.number);
    }
    return numbers.join();
  }

  #find({ name, value }: Label): PooledLabel | undefined {
    return this.#labels.get(name)?.get(value);
  }

  #add({ name, value }: Label): PooledLabel {
    let values = this.#labels.get(name);
    if (!values) {
      values = new Map();
      this.#labels.set(name, values);
    }
    const label = new PooledLabel(name, value, this.#count++);
    values.set(value, label);
    return label;
  }
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

/**
 * Distributions as they are found, by group and step; those of several generators add up.
 */
import type { Labels } from "../query/store.ts";
import { added, type Distribution } from "./distribution.ts";

/** By the value of a label, for each time of the grid; null where nothing was observed. */
export type Distributions = ReadonlyMap<string, readonly (Distribution | null)[]>;

export class StepDistributions {
  readonly #found = new Map<string, (Distribution | null)[]>();
  readonly #count: number;
  readonly #by: string;

  /**
   * @param count Of the grid.
   * @param by The label whose values are told apart; the empty text for none, under which everything is then found.
   */
  constructor(count: number, by: string) {
    this.#count = count;
    this.#by = by;
  }

  get found(): Distributions {
    return this.#found;
  }

  /** @param index What is not on the grid is left out. */
  add(labels: Labels, index: number, distribution: Distribution): void {
    if (distribution.length === 0 || index < 0 || index >= this.#count) return;
    const group = labels[this.#by] ?? "";
    let list = this.#found.get(group);
    if (!list) {
      list = Array.from<Distribution | null>({ length: this.#count }).fill(null);
      this.#found.set(group, list);
    }
    const known = list[index];
    list[index] = known ? added([known, distribution]) : distribution;
  }
}

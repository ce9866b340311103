/**
 * Remembers which series has which labels, so that one that k6 has sent before is recognised.
 *
 * The nine metrics of a request have the same labels, so these are kept once, with the series of each metric.
 */
import type { CloudSeries } from "./metric-set.ts";

export class SeriesTable {
  readonly #limit: number;
  readonly #limitLength: number;
  /** By the spelling of their labels, in the order of the metrics' numbers. */
  readonly #ids = new Map<string, number[]>();
  #count = 0;
  #length = 0;

  /**
   * Holds up to `limit` series, and labels of `limitLength` characters together, and starts over when either is
   * reached, as the table of JSON lines' spellings does: an attack of unique URLs costs time but no memory.
   */
  constructor(limit: number = 1 << 18, limitLength: number = 1 << 25) {
    this.#limit = limit;
    this.#limitLength = limitLength;
  }

  /** @param add What makes a series that is not known, or no more. May be called again for the same one */
  idOf(metricNumber: number, labels: CloudSeries["labels"], add: () => number): number {
    const key = keyOf(labels);
    const known = this.#ids.get(key)?.[metricNumber];
    if (known !== undefined) return known;
    if (this.#count >= this.#limit || this.#length + key.length > this.#limitLength) this.#clear();
    let ids = this.#ids.get(key);
    if (ids === undefined) {
      ids = [];
      this.#ids.set(key, ids);
      this.#length += key.length;
    }
    const id = add();
    ids[metricNumber] = id;
    this.#count++;
    return id;
  }

  #clear(): void {
    this.#ids.clear();
    this.#count = 0;
    this.#length = 0;
  }
}

/**
 * The order of the labels may change: then it is another spelling of the same series. Values may hold anything. Joined,
 * because a string that is added up keeps all its parts in memory.
 */
function keyOf(labels: CloudSeries["labels"]): string {
  return labels
    .map(({ name, value }) => [name.length, ",", value.length, ":", name, value].join(""))
    .join(" ");
}

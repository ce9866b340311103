/**
 * Remembers which series has which labels, so that one that k6 has sent before is recognised by its bytes.
 *
 * The nine metrics of a request have the same labels, so these are kept once, with the series of each metric. Labels in
 * another order are another spelling of the same series.
 */
import type { ByteView } from "../sample/byte-view.ts";
import { SpellingTable } from "../sample/spelling-table.ts";

export class SeriesTable {
  readonly #limit: number;
  readonly #limitBytes: number;
  #spellings: SpellingTable;
  /** By spelling, then by the metric's number. */
  #ids: number[][] = [];
  #count = 0;

  /**
   * Holds up to `limit` series, and labels of `limitBytes` together, and starts over when either is reached, as the
   * table of JSON lines' spellings does: an attack of unique URLs costs time but no memory.
   */
  constructor(limit: number = 1 << 18, limitBytes: number = 1 << 25) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
    this.#spellings = new SpellingTable(limit, limitBytes);
  }

  /**
   * The series of a metric whose labels are the bytes from `start` to `end`.
   *
   * @param add What makes a series that is not known, or no more. May be called again for the same one
   */
  idOf(
    metricNumber: number,
    view: ByteView,
    start: number,
    end: number,
    add: () => number,
  ): number {
    let spelling = this.#spellings.find(view, start, end, end, end);
    const known = this.#ids[spelling]?.[metricNumber];
    if (known !== undefined) return known;
    if (this.#count >= this.#limit) {
      this.#spellings = new SpellingTable(this.#limit, this.#limitBytes);
      spelling = -1;
    }
    if (spelling < 0) {
      spelling = this.#spellings.add(view, start, end, end, end, 0, -1);
      // It has forgotten all others.
      if (this.#spellings.size === 1) {
        this.#ids = [];
        this.#count = 0;
      }
    }
    const id = add();
    (this.#ids[spelling] ??= [])[metricNumber] = id;
    this.#count++;
    return id;
  }
}

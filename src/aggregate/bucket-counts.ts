/**
 * How often each bucket of a histogram was observed, in little memory: there is a histogram for each trend series.
 *
 * In:  bucket indexes in any order. Out: the buckets in ascending order.
 *
 * Few buckets are a sorted list; many that lie close together are a table of counts by index, which makes an
 * observation one look-up.
 */

/** Buckets of one sign: sorted indexes and their counts, `size` of each. */
export interface Buckets {
  readonly size: number;
  readonly indexes: Int32Array;
  readonly counts: Float64Array;
}

/** A bucket in one number, `index * countLimit + count`: eight bytes, and ordered as the indexes are. */
const countLimit = 2 ** 32;
/** What a list grows by, sorted behind all buckets; `push` would make room for half as many again and 16. */
const room: readonly number[] = Array.from({ length: 8 }, () => Infinity);
/** From here on an observation is worth a table, where that is not much larger than the list. */
const shortestTable = 64;
/** Most that a table may take per bucket, in counts of two bytes. */
const tableCountsPerBucket = 6;
/** An eighth of an octave at schema 7. */
const tableMargin = 16;

export class BucketCounts {
  size = 0;
  /** `size` buckets, then room. A plain array: a typed one takes some 350 bytes before its first element. */
  #list: number[] = [];
  /** The count of index `#base + i`; empty while there is a list. */
  #table: Uint16Array | Float64Array = noTable;
  #base = 0;

  add(index: number, count: number): void {
    const table = this.#table;
    const offset = index - this.#base;
    if (offset >= 0 && offset < table.length) {
      const before = table[offset] ?? 0;
      if (before === 0) this.size++;
      if (before + count <= 0xffff || table instanceof Float64Array) table[offset] = before + count;
      else this.#widenCounts()[offset] = before + count;
    } else if (table.length > 0) {
      this.#widen(index);
      this.add(index, count);
    } else {
      this.#addToList(index, count);
    }
  }

  /** The buckets in ascending order, written to `into`. */
  sorted(into: SortedBuckets): Buckets {
    into.reserve(this.size);
    const { indexes, counts } = into;
    const table = this.#table;
    let size = 0;
    for (let i = 0; i < table.length; i++) {
      const count = table[i] ?? 0;
      if (count === 0) continue;
      indexes[size] = this.#base + i;
      counts[size++] = count;
    }
    const list = this.#list;
    for (let i = 0; i < list.length && i < this.size; i++) {
      const bucket = list[i] ?? 0;
      const index = indexOf(bucket);
      indexes[size] = index;
      counts[size++] = bucket - index * countLimit;
    }
    into.size = size;
    return into;
  }

  #addToList(index: number, count: number): void {
    const list = this.#list;
    const first = index * countLimit;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((list[middle] ?? 0) < first) low = middle + 1;
      else high = middle;
    }
    const before = list[low] ?? Infinity;
    if (before < first + countLimit && before + count < first + countLimit) {
      list[low] = before + count;
      return;
    }
    const isNew = before >= first + countLimit;
    if (!isNew || count >= countLimit || this.#isTableDue(index)) {
      this.#makeTable(index);
      this.add(index, count);
      return;
    }
    this.#insert(low, first + count);
  }

  #insert(at: number, bucket: number): void {
    if (this.size === this.#list.length) this.#list = this.#list.concat(room);
    const list = this.#list;
    for (let i = this.size++; i > at; i--) list[i] = list[i - 1] ?? 0;
    list[at] = bucket;
  }

  #isTableDue(index: number): boolean {
    const list = this.#list;
    if (this.size < shortestTable) return false;
    const lowest = Math.min(index, indexOf(list[0] ?? 0));
    const highest = Math.max(index, indexOf(list[this.size - 1] ?? 0));
    return highest - lowest < this.size * tableCountsPerBucket;
  }

  /** Makes a table of the list, with room for an index. */
  #makeTable(index: number): void {
    const list = this.#list.slice(0, this.size);
    this.#list = [];
    this.size = 0;
    this.#base = index;
    this.#table = new Uint16Array(1);
    if (list.length > 0) {
      this.#widen(indexOf(list[0] ?? 0));
      this.#widen(indexOf(list.at(-1) ?? 0));
    }
    for (const bucket of list) {
      const at = indexOf(bucket);
      this.add(at, bucket - at * countLimit);
    }
  }

  /** Makes room for an index that is outside of the table, and for some around it. */
  #widen(index: number): void {
    const table = this.#table;
    const end = this.#base + table.length;
    if (index >= this.#base && index < end) return;

    const base = Math.min(this.#base, index - tableMargin);
    const length = Math.max(end, index + 1 + tableMargin) - base;
    const wider =
      table instanceof Float64Array ? new Float64Array(length) : new Uint16Array(length);
    wider.set(table, this.#base - base);
    this.#table = wider;
    this.#base = base;
  }

  #widenCounts(): Float64Array {
    const wider = Float64Array.from(this.#table);
    this.#table = wider;
    return wider;
  }
}

function indexOf(bucket: number): number {
  return Math.floor(bucket / countLimit);
}

const noTable = new Uint16Array();

/** Where buckets are put in order for whoever reads them; one for each sign is shared by all histograms. */
export class SortedBuckets implements Buckets {
  size = 0;
  indexes: Int32Array = new Int32Array(256);
  counts: Float64Array = new Float64Array(256);

  reserve(size: number): void {
    if (size <= this.counts.length) return;
    this.indexes = new Int32Array(size * 2);
    this.counts = new Float64Array(size * 2);
  }
}

/**
 * Remembers how each time series is spelt in k6's JSON lines, so that a series that was seen before is
 * recognised by its bytes and never parsed again.
 *
 * A spelling is the two parts of a line that are the same for each sample of a series: the head, from the start
 * of the line to the quote that opens the time, and the tags, from `,"tags":` to the brace that closes them.
 * Two spellings may be of one series.
 *
 * k6 writes the samples of one request one after the other, so the spelling that followed last time is the
 * best guess for what follows now: eight of nine lines are recognised by one comparison, without hashing.
 */
import { ByteView } from "./byte-view.ts";

const emptySlot = -1;

export class SpellingTable {
  readonly #limit: number;
  readonly #limitBytes: number;
  #count = 0;
  /** The bytes of all spellings end to end: heads, and tags once for all samples of one request. */
  #arena = new ByteView(Buffer.allocUnsafe(1 << 16));
  #arenaLength = 0;
  #headStart: Int32Array = new Int32Array(1024);
  #tagsStart: Int32Array = new Int32Array(1024);
  #headEnd: Int32Array = new Int32Array(1024);
  #tagsEnd: Int32Array = new Int32Array(1024);
  #hash: Int32Array = new Int32Array(1024);
  #seriesId: Int32Array = new Int32Array(1024);
  #successor: Int32Array = new Int32Array(1024).fill(emptySlot);
  /** Open addressing; a power of two, at most half full. */
  #slots: Int32Array = new Int32Array(2048).fill(emptySlot);

  /**
   * Holds up to `limit` spellings of `limitBytes` together and starts over when either is reached: what is
   * forgotten is parsed again, so an attack of unique URLs costs time but no memory.
   */
  constructor(limit: number = 1 << 18, limitBytes: number = 1 << 25) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  get size(): number {
    return this.#count;
  }

  seriesId(spelling: number): number {
    return this.#seriesId[spelling] ?? 0;
  }

  /** The spelling that followed this one the last time, or -1. */
  successor(spelling: number): number {
    return this.#successor[spelling] ?? emptySlot;
  }

  setSuccessor(spelling: number, next: number): void {
    this.#successor[spelling] = next;
  }

  headLength(spelling: number): number {
    return (this.#headEnd[spelling] ?? 0) - (this.#headStart[spelling] ?? 0);
  }

  tagsLength(spelling: number): number {
    return (this.#tagsEnd[spelling] ?? 0) - (this.#tagsStart[spelling] ?? 0);
  }

  /** Whether the spelling's head stands at `offset`. */
  hasHead(spelling: number, view: ByteView, offset: number): boolean {
    const from = this.#headStart[spelling] ?? 0;
    return view.equals(offset, this.#arena, from, (this.#headEnd[spelling] ?? 0) - from);
  }

  /** Whether the spelling's tags stand at `offset`. */
  hasTags(spelling: number, view: ByteView, offset: number): boolean {
    const from = this.#tagsStart[spelling] ?? 0;
    return view.equals(offset, this.#arena, from, (this.#tagsEnd[spelling] ?? 0) - from);
  }

  /** The spelling with this head and these tags, or -1. */
  find(
    view: ByteView,
    headStart: number,
    headEnd: number,
    tagsStart: number,
    tagsEnd: number,
  ): number {
    const hash = hashOf(view, headStart, headEnd, tagsStart, tagsEnd);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const spelling = this.#slots[slot] ?? emptySlot;
      if (spelling === emptySlot) return emptySlot;
      if (
        this.#hash[spelling] === hash &&
        this.headLength(spelling) === headEnd - headStart &&
        this.tagsLength(spelling) === tagsEnd - tagsStart &&
        this.hasHead(spelling, view, headStart) &&
        this.hasTags(spelling, view, tagsStart)
      ) {
        return spelling;
      }
    }
  }

  /**
   * Adds a spelling that `find` did not find, and returns it. May forget all others. `neighbour` is a spelling, or
   * -1, that may have the same tags: they are kept once.
   */
  add(
    view: ByteView,
    headStart: number,
    headEnd: number,
    tagsStart: number,
    tagsEnd: number,
    seriesId: number,
    neighbour: number,
  ): number {
    const length = headEnd - headStart + (tagsEnd - tagsStart);
    if (this.#count >= this.#limit || this.#arenaLength + length > this.#limitBytes) this.#clear();
    this.#reserve(length);
    const hasTags =
      neighbour >= 0 &&
      neighbour < this.#count &&
      this.tagsLength(neighbour) === tagsEnd - tagsStart &&
      this.hasTags(neighbour, view, tagsStart);
    const spelling = this.#count++;
    this.#headStart[spelling] = this.#arenaLength;
    this.#headEnd[spelling] = this.#append(view, headStart, headEnd);
    this.#tagsStart[spelling] = hasTags ? (this.#tagsStart[neighbour] ?? 0) : this.#arenaLength;
    this.#tagsEnd[spelling] = hasTags
      ? (this.#tagsEnd[neighbour] ?? 0)
      : this.#append(view, tagsStart, tagsEnd);
    this.#hash[spelling] = hashOf(view, headStart, headEnd, tagsStart, tagsEnd);
    this.#seriesId[spelling] = seriesId;
    this.#successor[spelling] = emptySlot;
    this.#insert(spelling);
    return spelling;
  }

  /** Returns the end of what was appended. */
  #append(view: ByteView, start: number, end: number): number {
    this.#arenaLength += view.bytes.copy(this.#arena.bytes, this.#arenaLength, start, end);
    return this.#arenaLength;
  }

  #insert(spelling: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#hash[spelling] ?? 0) & mask;
    while (this.#slots[slot] !== emptySlot) slot = (slot + 1) & mask;
    this.#slots[slot] = spelling;
  }

  #clear(): void {
    this.#count = 0;
    this.#arenaLength = 0;
    this.#slots.fill(emptySlot);
  }

  #reserve(length: number): void {
    const arena = this.#arena.bytes;
    if (this.#arenaLength + length > arena.length) {
      const larger = Buffer.allocUnsafe(Math.max(arena.length * 2, this.#arenaLength + length));
      arena.copy(larger, 0, 0, this.#arenaLength);
      this.#arena = new ByteView(larger);
    }
    if (this.#count < this.#hash.length) return;
    const capacity = this.#hash.length * 2;
    this.#headStart = grown(this.#headStart, capacity);
    this.#tagsStart = grown(this.#tagsStart, capacity);
    this.#headEnd = grown(this.#headEnd, capacity);
    this.#tagsEnd = grown(this.#tagsEnd, capacity);
    this.#hash = grown(this.#hash, capacity);
    this.#seriesId = grown(this.#seriesId, capacity);
    this.#successor = grown(this.#successor, capacity);
    this.#slots = new Int32Array(capacity * 2).fill(emptySlot);
    for (let spelling = 0; spelling < this.#count; spelling++) this.#insert(spelling);
  }
}

function grown(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}

function hashOf(
  view: ByteView,
  headStart: number,
  headEnd: number,
  tagsStart: number,
  tagsEnd: number,
): number {
  return view.hash(tagsStart, tagsEnd - tagsStart, view.hash(headStart, headEnd - headStart, 0));
}

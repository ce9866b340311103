/**
 * Samples that wait for their interval to open, in the order in which they came.
 */
export class PendingSamples {
  #length = 0;
  #seriesIds: Int32Array = new Int32Array(1024);
  #timestampsMs: Float64Array = new Float64Array(1024);
  #values: Float64Array = new Float64Array(1024);

  /** The oldest timestamp among them; Infinity if there are none. */
  get oldestMs(): number {
    let oldestMs = Infinity;
    for (let i = 0; i < this.#length; i++) {
      oldestMs = Math.min(oldestMs, this.#timestampsMs[i] ?? Infinity);
    }
    return oldestMs;
  }

  push(seriesId: number, timestampMs: number, value: number): void {
    if (this.#length === this.#seriesIds.length) this.#grow();
    this.#seriesIds[this.#length] = seriesId;
    this.#timestampsMs[this.#length] = timestampMs;
    this.#values[this.#length] = value;
    this.#length++;
  }

  /** Removes the samples older than `endMs` and hands each over. */
  takeBefore(
    endMs: number,
    take: (seriesId: number, timestampMs: number, value: number) => void,
  ): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      const seriesId = this.#seriesIds[i] ?? 0;
      const timestampMs = this.#timestampsMs[i] ?? 0;
      const value = this.#values[i] ?? 0;
      if (timestampMs < endMs) {
        take(seriesId, timestampMs, value);
      } else {
        this.#seriesIds[kept] = seriesId;
        this.#timestampsMs[kept] = timestampMs;
        this.#values[kept] = value;
        kept++;
      }
    }
    this.#length = kept;
  }

  #grow(): void {
    const capacity = this.#length * 2;
    const seriesIds = new Int32Array(capacity);
    const timestampsMs = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    seriesIds.set(this.#seriesIds);
    timestampsMs.set(this.#timestampsMs);
    values.set(this.#values);
    this.#seriesIds = seriesIds;
    this.#timestampsMs = timestampsMs;
    this.#values = values;
  }
}

/**
 * Samples that wait for their interval to open, in the order in which they came.
 */
import { createSampleBlock, type SampleBlock } from "../sample/sample.ts";

export class PendingSamples {
  /** The oldest timestamp among them; Infinity if there are none. */
  oldestMs: number = Infinity;
  #length = 0;
  #block = createSampleBlock(1024);

  /** Adds a copy of a sample of a block. */
  push(block: SampleBlock, at: number): void {
    if (this.#length === this.#block.values.length) this.#grow();
    copySample(block, at, this.#block, this.#length++);
    const timestampMs = block.timestampsMs[at] ?? Infinity;
    if (timestampMs < this.oldestMs) this.oldestMs = timestampMs;
  }

  /** Removes the samples older than `endMs` and hands each over: a block, and where in it. */
  takeBefore(endMs: number, take: (block: SampleBlock, at: number) => void): void {
    if (this.oldestMs >= endMs) return;
    const block = this.#block;
    let kept = 0;
    let oldestMs = Infinity;
    for (let i = 0; i < this.#length; i++) {
      const timestampMs = block.timestampsMs[i] ?? 0;
      if (timestampMs < endMs) {
        take(block, i);
      } else {
        copySample(block, i, block, kept++);
        if (timestampMs < oldestMs) oldestMs = timestampMs;
      }
    }
    this.#length = kept;
    this.oldestMs = oldestMs;
  }

  #grow(): void {
    const larger = createSampleBlock(this.#length * 2);
    larger.seriesIds.set(this.#block.seriesIds);
    larger.timestampsMs.set(this.#block.timestampsMs);
    larger.values.set(this.#block.values);
    this.#block = larger;
  }
}

function copySample(from: SampleBlock, at: number, to: SampleBlock, place: number): void {
  to.seriesIds[place] = from.seriesIds[at] ?? 0;
  to.timestampsMs[place] = from.timestampsMs[at] ?? 0;
  to.values[place] = from.values[at] ?? 0;
}

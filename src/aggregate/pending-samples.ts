/**
 * Samples that wait for their interval to open, in the order in which they came.
 */
import { createSampleBlock, type SampleBlock } from "../sample/sample.ts";

export class PendingSamples {
  #length = 0;
  #block = createSampleBlock(1024);

  /** The oldest timestamp among them; Infinity if there are none. */
  get oldestMs(): number {
    let oldestMs = Infinity;
    for (let i = 0; i < this.#length; i++) {
      oldestMs = Math.min(oldestMs, this.#block.timestampsMs[i] ?? Infinity);
    }
    return oldestMs;
  }

  /** Adds a copy of a sample of a block. */
  push(block: SampleBlock, at: number): void {
    if (this.#length === this.#block.values.length) this.#grow();
    copySample(block, at, this.#block, this.#length++);
  }

  /** Removes the samples older than `endMs` and hands each over: a block, and where in it. */
  takeBefore(endMs: number, take: (block: SampleBlock, at: number) => void): void {
    const block = this.#block;
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      if ((block.timestampsMs[i] ?? 0) < endMs) take(block, i);
      else copySample(block, i, block, kept++);
    }
    this.#length = kept;
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

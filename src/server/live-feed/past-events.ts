/**
 * What was sent of a run's last minute, for whoever was cut off meanwhile: no question to the store, however many come back.
 */

interface PastEvent {
  /** Newest time that the stream had with it, Unix seconds. */
  readonly newest: number;
  readonly text: Buffer;
}

/** Of times, not of the clock: a generator that is silent makes nothing old. */
const keptSeconds = 60;

export class PastEvents {
  readonly #events: PastEvent[] = [];
  /** Whoever has all up to here misses nothing. */
  #since: number;

  /** @param since Unix seconds */
  constructor(since: number) {
    this.#since = since;
  }

  add(event: PastEvent): void {
    this.#events.push(event);
    while ((this.#events[0]?.newest ?? Infinity) < event.newest - keptSeconds) {
      this.#since = Math.max(this.#since, this.#events.shift()!.newest);
    }
  }

  /** Forgets all. */
  restart(since: number): void {
    this.#events.length = 0;
    this.#since = since;
  }

  /**
   * What somebody has missed who has all up to `seen`. Events of that very time are among them: one that corrects what was
   * sent has the id of the one before. Undefined where it is more than there is.
   */
  after(seen: number): readonly Buffer[] | undefined {
    if (seen < this.#since) return undefined;
    const first = this.#events.findIndex(({ newest }) => newest >= seen);
    return first < 0 ? [] : this.#events.slice(first).map(({ text }) => text);
  }
}

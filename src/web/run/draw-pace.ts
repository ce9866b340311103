/**
 * When the page is drawn again: at once where people wait for it, at most once a second otherwise.
 *
 * Charts come once a second, each about as late in it as the one before. What else comes in between must not make them wait for
 * the next second, so they need a shorter pause behind it.
 */

/** The least time since the page was drawn last, by what is to be drawn. */
const pauseMs = { urgent: 0, charts: 500, rest: 1_000 };

export type Change = keyof typeof pauseMs;

export class DrawPace {
  readonly #draw: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is due, and when the page was drawn last, by its own clock. */
  #dueMs = Infinity;
  #drawnMs = -Infinity;

  constructor(draw: () => void) {
    this.#draw = draw;
  }

  changed(what: Change): void {
    const dueMs = this.#drawnMs + pauseMs[what];
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, dueMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#dueMs = Infinity;
      this.#drawnMs = performance.now();
      this.#draw();
    }, waitMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * When to ask the store again, so that a second is seen soon after it is there, and little is asked in vain.
 *
 * A second's points come once a second, at a moment of the second that nobody says: it depends on when the run began and on
 * how the generator pushes. Looking a little earlier each time finds it, and looking again a little later after a look in vain
 * stays behind it: on average within a tenth of a second, for about five looks in four seconds.
 */

const stepMs = 1_000;
/** How much earlier than a second after the last success. */
const earlierMs = 50;
/** After the first look in vain; each further one doubles it, up to a second: then nothing comes for a while. */
const againMs = 125;

export class LookPace {
  #inVain = 0;

  /**
   * How long to wait from the beginning of the look that was; never less than it took, so that a slow store has
   * half of the time for others.
   */
  next({ hasNew, tookMs }: { readonly hasNew: boolean; readonly tookMs: number }): number {
    const waitMs = hasNew ? stepMs - earlierMs : Math.min(againMs * 2 ** this.#inVain, stepMs);
    this.#inVain = hasNew ? 0 : this.#inVain + 1;
    return Math.max(waitMs, 2 * tookMs);
  }
}

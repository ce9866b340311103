/**
 * Charts by the keyboard: arrow keys move the cursor from time to time, Shift with them marks a part, Enter zooms into it.
 * Esc, which shows everything again, belongs to the page (use-chart-group.ts).
 */
import type { ChartGroup, TimeRange } from "./chart-group.ts";
import { keyTarget } from "./key-target.ts";
import type { Plot } from "./plot.ts";
import { nearestIndex } from "./scales.ts";

export class ChartKeys {
  readonly #group: ChartGroup;
  readonly #plot: Plot;
  /** Where the marked part begins, while Shift marks one. */
  #anchor: number | null = null;

  constructor(group: ChartGroup, plot: Plot) {
    this.#group = group;
    this.#plot = plot;
  }

  /** @returns Whether the key was for the chart. */
  press({ key, shiftKey }: { readonly key: string; readonly shiftKey: boolean }): boolean {
    const { times } = this.#plot;
    if (times.length === 0) return false;
    if (key === "Enter") return this.#zoom();
    const { from, to } = this.#group.range;
    const bounds = { first: nearestIndex(times, from), last: nearestIndex(times, to) };
    const { cursor } = this.#group;
    // Whoever comes to the chart begins at its newest end.
    const at = cursor === null ? bounds.last : nearestIndex(times, cursor);
    const target = cursor === null && key === "ArrowLeft" ? at : keyTarget(key, at, bounds);
    if (target === undefined) return false;
    if (!shiftKey) this.#anchor = null;
    else this.#anchor ??= times[at] ?? null;
    this.#group.moveCursor(times[target] ?? null);
    this.#plot.showSelection(this.#marked());
    return true;
  }

  leave(): void {
    this.#anchor = null;
    this.#plot.showSelection(null);
    this.#group.moveCursor(null);
  }

  #zoom(): boolean {
    const marked = this.#marked();
    if (!marked) return false;
    this.#anchor = null;
    this.#plot.showSelection(null);
    this.#group.setZoom(marked);
    return true;
  }

  #marked(): TimeRange | null {
    const { cursor } = this.#group;
    if (this.#anchor === null || cursor === null || this.#anchor === cursor) return null;
    return { from: Math.min(this.#anchor, cursor), to: Math.max(this.#anchor, cursor) };
  }
}

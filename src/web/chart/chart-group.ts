/**
 * What the charts of a page have in common: the time that the cursor is at, the part of the time that is shown, and when they
 * are drawn.
 *
 * However many charts have new values, they are drawn in one animation frame, and only those that are in view: the others are
 * drawn when somebody scrolls to them.
 */

/** On the charts' common axis: Unix seconds, or seconds since the start where runs are compared. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** What a chart lets the group do. */
export interface GroupMember {
  readonly element: Element;
  draw(): void;
  /** @param time null takes the cursor away. */
  showCursor(time: number | null): void;
}

export class ChartGroup {
  readonly #members = new Map<Element, GroupMember>();
  readonly #visible = new Set<GroupMember>();
  readonly #stale = new Set<GroupMember>();
  readonly #listeners = new Set<() => void>();
  readonly #observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.#setVisible(target, isIntersecting);
  });
  #frame: number | undefined;
  #extent: TimeRange = { from: 0, to: 1 };
  #zoom: TimeRange | null = null;
  #cursor: number | null = null;

  get zoom(): TimeRange | null {
    return this.#zoom;
  }

  /** What all charts show: the zoomed part, else all there is. */
  get range(): TimeRange {
    return this.#zoom ?? this.#extent;
  }

  get cursor(): number | null {
    return this.#cursor;
  }

  /** @returns What takes it out again. */
  add(member: GroupMember): () => void {
    this.#members.set(member.element, member);
    this.#observer.observe(member.element);
    return () => {
      this.#observer.unobserve(member.element);
      this.#members.delete(member.element);
      this.#visible.delete(member);
      this.#stale.delete(member);
    };
  }

  /** The chart has something new to show. */
  invalidate(member: GroupMember): void {
    this.#stale.add(member);
    if (this.#frame !== undefined || !this.#visible.has(member)) return;
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** Those in view follow at once; the others have their cursor when they come into view. */
  moveCursor(time: number | null, by?: GroupMember): void {
    if (time === this.#cursor) return;
    this.#cursor = time;
    for (const member of this.#visible) if (member !== by) member.showCursor(time);
  }

  /** From the first time to the last that any of the charts has. It is taken up when they are drawn next. */
  setExtent(extent: TimeRange): void {
    this.#extent = extent;
  }

  /** @param range null shows everything. */
  setZoom(range: TimeRange | null): void {
    this.#zoom = range;
    for (const member of this.#members.values()) this.invalidate(member);
    for (const listener of this.#listeners) listener();
  }

  /** Called when the zoom changes. @returns What ends it. */
  onZoom(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Other colours: the system's setting has changed. */
  redrawAll(): void {
    for (const member of this.#members.values()) this.invalidate(member);
  }

  /** At once, and also those that are not in view: for paper. */
  drawAll(): void {
    for (const member of this.#members.values()) member.draw();
  }

  #setVisible(element: Element, isVisible: boolean): void {
    const member = this.#members.get(element);
    if (!member) return;
    if (!isVisible) {
      this.#visible.delete(member);
      return;
    }
    this.#visible.add(member);
    member.showCursor(this.#cursor);
    if (this.#stale.has(member)) this.invalidate(member);
  }

  #draw(): void {
    this.#frame = undefined;
    for (const member of this.#stale) {
      if (!this.#visible.has(member)) continue;
      this.#stale.delete(member);
      member.draw();
    }
  }
}

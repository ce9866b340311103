/**
 * The part of a log that is drawn: it grows at its end as pages come, and is cut at its start, so that a log of any length
 * costs the same.
 */
import type { LogLineView, LogPageView } from "../../server/api/log-view.ts";

export interface LogWindow {
  /** Oldest first; each has a number that stays the same for as long as it is here. */
  readonly lines: readonly NumberedLine[];
  /** Where the next page begins: a byte of the file. */
  readonly next: number;
  /** There was nothing behind `next` when the server last looked. */
  readonly isEnd: boolean;
  /** Nothing stands before the first line. */
  readonly isStart: boolean;
}

export interface NumberedLine extends LogLineView {
  readonly number: number;
}

/** More is slow to draw; a reader sees about 30 at a time. */
export const maxLines = 2_000;

/** @param page the newest lines, or the first ones: `isStart` */
export function openWindow(page: LogPageView, isStart: boolean): LogWindow {
  return withPage({ lines: [], next: 0, isEnd: false, isStart }, page);
}

/** With what comes behind it; the oldest go where there are too many. */
export function withPage(window: LogWindow, page: LogPageView): LogWindow {
  const first = (window.lines.at(-1)?.number ?? -1) + 1;
  // k6 sends what it has by level: each push is in order of time for itself, but not its lines.
  const added = page.lines.toSorted(byTime).map((line, at) => ({ ...line, number: first + at }));
  const lines = [...window.lines, ...added];
  return {
    lines: lines.slice(-maxLines),
    next: page.next,
    isEnd: page.isEnd,
    isStart: window.isStart && lines.length <= maxLines,
  };
}

/** Of texts, because a number has not enough digits. */
function byTime({ timeNs: a }: LogLineView, { timeNs: b }: LogLineView): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

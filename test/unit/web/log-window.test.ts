import { describe, expect, it } from "vitest";
import type { LogPageView } from "../../../src/server/api/log-view.ts";
import {
  type LogWindow,
  maxLines,
  openWindow,
  withPage,
} from "../../../src/web/record/log-window.ts";

function pageOf(first: number, count: number, isEnd = false): LogPageView {
  const lines = Array.from({ length: count }, (_, at) => ({
    timeNs: String(1_795_386_707_000_000_000n + BigInt(first + at)),
    level: "info",
    message: `line ${first + at}`,
    labels: {},
  }));
  return { lines, next: (first + count) * 100, isEnd };
}

describe("the part of a log that is drawn", () => {
  it("stays as large as it may be, however long the log", () => {
    let window: LogWindow = openWindow(pageOf(0, 500), true);
    for (let at = 500; at < 100_000; at += 500) window = withPage(window, pageOf(at, 500));
    expect(window.lines).toHaveLength(maxLines);
    expect(window.lines.at(-1)?.message).toBe("line 99999");
    expect(window).toMatchObject({ isStart: false, next: 10_000_000 });
  });

  it("keeps a line's number, so that it is not drawn again", () => {
    const before = openWindow(pageOf(0, 1_500), true);
    const after = withPage(before, pageOf(1_500, 1_000, true));
    const kept = after.lines.find(({ message }) => message === "line 700");
    expect(kept?.number).toBe(before.lines[700]?.number);
    expect(new Set(after.lines.map(({ number }) => number)).size).toBe(maxLines);
  });

  it("begins at the start for as long as nothing was cut", () => {
    const window = openWindow(pageOf(0, 1_000), true);
    expect(window.isStart).toBe(true);
    expect(withPage(window, pageOf(1_000, 1_000)).isStart).toBe(true);
    expect(withPage(window, pageOf(1_000, 1_001)).isStart).toBe(false);
  });

  it("orders a page by time, to the nanosecond", () => {
    const { lines, ...rest } = pageOf(0, 3, true);
    const window = openWindow({ ...rest, lines: lines.toReversed() }, true);
    expect(window.lines.map(({ message }) => message)).toEqual(["line 0", "line 1", "line 2"]);
  });
});

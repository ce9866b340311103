import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Progress } from "../../../src/cli/progress.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("progress", () => {
  it.each([
    { where: "on a terminal", isTTY: true, everyMs: 500 },
    { where: "elsewhere", isTTY: false, everyMs: 5_000 },
  ])("is shown every $everyMs ms $where, until it is over", ({ isTTY, everyMs }) => {
    let shown = 0;
    const parts = (): string[] => [String(++shown)];
    const texts: string[] = [];
    const stream = { isTTY, write: (text: string) => texts.push(text) };
    const progress = new Progress(stream, parts, false);
    for (let n = 1; n <= 4; n++) {
      vi.advanceTimersByTime(everyMs - 1);
      expect(shown).toBe(n - 1);
      vi.advanceTimersByTime(1);
      expect(shown).toBe(n);
      expect(texts.at(-1)).toContain(String(n));
    }
    progress[Symbol.dispose]();
    vi.advanceTimersByTime(10 * everyMs);
    expect(shown).toBe(4);
  });

  it("says nothing where it is to be quiet", () => {
    const texts: string[] = [];
    const stream = { isTTY: true, write: (text: string) => texts.push(text) };
    using progress = new Progress(stream, () => ["1"], true);
    vi.advanceTimersByTime(60_000);
    progress.log("a problem");
    expect(texts).toEqual(["a problem\n"]);
  });
});

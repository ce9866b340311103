import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { LookPace } from "../../../../src/server/live-feed/look-pace.ts";

/** Looks at a store that has something new once a second, so long after each second. */
function look(phaseMs: number, seconds: number): { looks: number; latestMs: number[] } {
  const pace = new LookPace();
  const latestMs: number[] = [];
  let looks = 0;
  let had = 0;
  for (let nowMs = 0; nowMs < seconds * 1_000;) {
    const has = Math.floor((nowMs - phaseMs) / 1_000);
    const hasNew = has > had;
    if (hasNew) latestMs.push(nowMs - phaseMs - has * 1_000);
    had = Math.max(had, has);
    looks += 1;
    nowMs += pace.next({ hasNew, tookMs: 5 });
  }
  return { looks, latestMs };
}

describe("the pace of looks", () => {
  it("finds the moment of the second at which something new is there, and stays close behind it", () => {
    assert(
      property(integer({ min: 0, max: 999 }), (phaseMs) => {
        const { looks, latestMs } = look(phaseMs, 60);
        const settled = latestMs.slice(20);
        expect(settled.length).toBeGreaterThan(35);
        expect(Math.max(...settled)).toBeLessThanOrEqual(125);
        expect(looks).toBeLessThan(1.6 * 60);
      }),
    );
  });

  it("asks once a second where nothing comes", () => {
    const pace = new LookPace();
    const waits = Array.from({ length: 6 }, () => pace.next({ hasNew: false, tookMs: 1 }));
    expect(waits).toEqual([125, 250, 500, 1_000, 1_000, 1_000]);
  });

  it("leaves a slow store half of the time", () => {
    expect(new LookPace().next({ hasNew: true, tookMs: 3_000 })).toBe(6_000);
  });
});

import { expect, it } from "vitest";
import { Attempts } from "../../../../src/server/live/attempts.ts";

it("lets one attempt go on at a time, and waits twice as long after each that fails, up to a minute", () => {
  const attempts = new Attempts();
  const delaysS: number[] = [];
  for (let failure = 0; failure < 6; failure++) {
    let nowMs = failure * 1_000_000;
    expect(attempts.isDue(nowMs)).toBe(true);
    attempts.begin();
    expect(attempts.isDue(nowMs + 600_000)).toBe(false);
    attempts.end(nowMs, true);
    while (!attempts.isDue(nowMs)) nowMs += 1_000;
    delaysS.push((nowMs % 1_000_000) / 1_000);
  }
  expect(delaysS).toEqual([5, 10, 20, 40, 60, 60]);
  attempts.begin();
  attempts.end(7_000_000, false);
  expect(attempts.isDue(7_000_000)).toBe(true);
  attempts.begin();
  attempts.end(7_000_000, true);
  expect([attempts.isDue(7_004_999), attempts.isDue(7_005_000)]).toEqual([false, true]);
});

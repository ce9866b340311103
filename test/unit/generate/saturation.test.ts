import { array, assert, double, integer, property, record } from "fast-check";
import { expect, it } from "vitest";
import { Saturation } from "../../../src/generate/saturation.ts";

/** Readings a second apart, each with the cores that were in use since the one before. */
function saturationOf(cores: readonly number[], cpus: number): Saturation {
  const saturation = new Saturation(cpus, 1_000_000);
  let cpuSeconds = 0;
  for (const [index, used] of cores.entries()) {
    cpuSeconds += used;
    saturation.add(1_000_000 + (index + 1) * 1_000, cpuSeconds);
  }
  return saturation;
}

it("finds the windows of five seconds in which more than 90 % of the cores were used", () => {
  const saturation = saturationOf([1, 1, 1, 1, 1, 4, 4, 3.5, 3.5, 3.5, 2, 2, 2, 2, 2], 4);
  expect(saturation.maxCpuRatio).toBeCloseTo(18.5 / 20, 9);
  expect(saturation.saturatedMs).toBe(5_000);
  expect(saturation.cpuRatio).toBe(0.5);
  expect(saturation.isSaturated).toBe(false);
});

it("takes a second or two at the limit for a start", () => {
  expect(saturationOf([4, 4, 3, 3, 3], 4)).toMatchObject({ saturatedMs: 0, isSaturated: false });
});

it("knows nothing before the first window is over", () => {
  expect(saturationOf([4, 4, 4, 4], 4)).toMatchObject({
    cpuRatio: undefined,
    maxCpuRatio: undefined,
    isSaturated: false,
  });
});

it("measures against a part of a core where a container has no more", () => {
  expect(saturationOf([0.5, 0.5, 0.5, 0.5, 0.5], 0.5)).toMatchObject({
    cpuRatio: 1,
    saturatedMs: 5_000,
    isSaturated: true,
  });
});

it("is never saturated below the limit", () => {
  const load = record({
    cpus: integer({ min: 1, max: 64 }),
    shares: array(double({ min: 0, max: 0.89, noNaN: true }), { maxLength: 60 }),
  });
  assert(
    property(load, ({ cpus, shares }) => {
      const { saturatedMs } = saturationOf(
        shares.map((share) => share * cpus),
        cpus,
      );
      expect(saturatedMs).toBe(0);
    }),
  );
});

import { expect, it } from "vitest";
import { SteadyClock } from "../../../src/library/steady-clock.ts";

const startMs = 1_700_000_000_000;

/** A clock of which a test moves both hands. */
function setUp() {
  let wallMs = startMs;
  let monotonicMs = 500.25;
  const clock = new SteadyClock({ wallMs: () => wallMs, monotonicMs: () => monotonicMs });
  return {
    clock,
    pass: (ms: number) => {
      wallMs += ms;
      monotonicMs += ms;
    },
    step: (ms: number) => {
      wallMs += ms;
    },
  };
}

it("gives whole milliseconds of Unix time", () => {
  const { clock, pass } = setUp();
  expect(clock.nowMs()).toBe(startMs);
  pass(10.9);
  expect(clock.nowMs()).toBe(startMs + 10);
});

it("counts on where the system's clock is set back", () => {
  const { clock, pass, step } = setUp();
  pass(5_000);
  step(-3_600_000);
  expect(clock.nowMs()).toBe(startMs + 5_000);
  pass(1_000);
  expect(clock.nowMs()).toBe(startMs + 6_000);
});

it("follows where it is set ahead, or the machine slept, and does not come back", () => {
  const { clock, pass, step } = setUp();
  step(900);
  expect(clock.nowMs()).toBe(startMs);
  step(3_600_000);
  expect(clock.nowMs()).toBe(startMs + 3_600_900);
  step(-3_600_000);
  pass(1);
  expect(clock.nowMs()).toBe(startMs + 3_600_901);
});

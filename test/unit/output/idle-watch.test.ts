import { expect, it } from "vitest";
import { IdleWatch } from "../../../src/output/idle-watch.ts";

it("lets as much event time pass as wall-clock time, less the grace, from the newest sample on", () => {
  let nowMs = 1_000_000;
  let newestMs = 0;
  const advanced: number[] = [];
  using watch = new IdleWatch({
    clock: { nowMs: () => nowMs, sleep: async () => undefined },
    graceMs: 500,
    newestMs: () => newestMs,
    advanceTo: (timestampMs) => advanced.push(timestampMs),
  });
  watch.check();
  expect(advanced).toEqual([]);
  // A sample of long ago: the source's clock is not ours.
  newestMs = 5_000;
  watch.check();
  nowMs += 200;
  watch.check();
  nowMs += 1_000;
  watch.check();
  expect(advanced).toEqual([4_700, 5_700]);
  newestMs = 6_000;
  watch.check();
  nowMs += 700;
  watch.check();
  expect(advanced.slice(2)).toEqual([6_200]);
  watch[Symbol.dispose]();
  watch.check();
  expect(advanced).toHaveLength(3);
});

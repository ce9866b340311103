import { expect, it } from "vitest";
import { Backlog } from "../../../../src/server/live/backlog.ts";

it("lets the event loop come round between slices of work, however many runs want their turn", async () => {
  const backlog = new Backlog();
  let rounds = 0;
  let isWorking = true;
  const count = (): void => {
    rounds++;
    if (isWorking) setImmediate(count);
  };
  setImmediate(count);
  const order: number[] = [];
  const work = async (run: number): Promise<void> => {
    await backlog.turn(async () => {
      const endMs = performance.now() + 5;
      while (performance.now() < endMs);
      await Promise.resolve();
      order.push(run);
    });
  };
  await Promise.all(Array.from({ length: 40 }, (_, run) => work(run)));
  isWorking = false;
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  // Two pieces of work fill a slice.
  expect(rounds).toBeGreaterThan(15);
});

import { expect, it } from "vitest";
import { Recorder } from "../../../src/library/recorder.ts";
import { FakeClock } from "../../support/fake-clock.ts";

it("asks for a series once, and remembers no more spellings than it may", () => {
  const asked: string[] = [];
  const recorder = new Recorder({
    sink: {
      series: (_, tags) => asked.push([...tags.values()].join()),
      sample: () => undefined,
      dropped: () => undefined,
    },
    clock: new FakeClock(),
    maxSpellings: 3,
  });
  const metric = recorder.metric("orders", "counter", undefined);
  const ask = (id: number): number => recorder.series(metric, { id });
  expect([1, 2, 3, 1, 2, 3].map(ask)).toEqual([1, 2, 3, 1, 2, 3]);
  expect(asked).toEqual(["1", "2", "3"]);
  ask(4);
  ask(1);
  expect(asked).toEqual(["1", "2", "3", "4", "1"]);
});

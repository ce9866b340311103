import { describe, expect, it } from "vitest";
import { PastEvents } from "../../../../src/server/live-feed/past-events.ts";

function pastOf(since: number, ...times: readonly number[]): PastEvents {
  const past = new PastEvents(since);
  for (const newest of times) past.add({ newest, text: Buffer.from(String(newest)) });
  return past;
}

const textsOf = (events: readonly Buffer[] | undefined) => events?.map(String);

describe("past events", () => {
  it("are those since the time that was seen, with corrections of that very time", () => {
    const past = pastOf(100, 101, 102, 102, 103);
    expect(textsOf(past.after(102))).toEqual(["102", "102", "103"]);
    expect(textsOf(past.after(100))).toEqual(["101", "102", "102", "103"]);
    expect(textsOf(past.after(103))).toEqual(["103"]);
    expect(textsOf(past.after(110))).toEqual([]);
  });

  it("are unknown where more was missed than is kept", () => {
    expect(pastOf(100, 101).after(99)).toBeUndefined();
    const minute = pastOf(100, ...Array.from({ length: 90 }, (_, at) => 101 + at));
    expect(minute.after(128)).toBeUndefined();
    expect(minute.after(130)).toHaveLength(61);
  });

  it("are none after a new beginning", () => {
    const past = pastOf(100, 101);
    past.restart(500);
    expect(past.after(101)).toBeUndefined();
    expect(past.after(500)).toEqual([]);
  });
});

import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { type K6Receiver, startK6Receiver } from "../../../src/generate/k6-receiver.ts";

interface Work {
  readonly body: string;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/** Pushes that are in work, which the test ends. */
let works: Work[];
let receiver: K6Receiver;

beforeEach(async () => {
  works = [];
  receiver = await startK6Receiver({
    clock: systemClock,
    onPush: (body) =>
      new Promise<void>((done, fail) => works.push({ body: body.toString(), done, fail })),
  });
});
afterEach(() => receiver[Symbol.asyncDispose]());

const push = (body: string, key: string): Promise<number> =>
  fetch(`${receiver.url}/v2/metrics/1`, {
    method: "POST",
    body,
    headers: { "K6-Idempotency-Key": key },
  }).then(({ status }) => status);

const inWork = async (count: number): Promise<string[]> => {
  await expect.poll(() => works.length).toBe(count);
  return works.map(({ body }) => body);
};

/** When what is under way has had every chance to come in: a new connection takes a few turns of the event loop. */
const answered = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await fetch(`${receiver.url}/nothing`);
};

describe("startK6Receiver", () => {
  it("takes a push once that is sent again while it is in work, and answers both", async () => {
    const first = push("a", "1");
    await inWork(1);
    const second = push("a", "1");
    await answered();
    works[0]?.done();
    expect(await Promise.all([first, second, push("a", "1")])).toEqual([200, 200, 200]);
    expect(await inWork(1)).toEqual(["a"]);
  });

  it("hands on one push after the other", async () => {
    const first = push("a", "1");
    await inWork(1);
    const second = push("b", "2");
    await answered();
    expect(await inWork(1)).toEqual(["a"]);
    works[0]?.done();
    expect(await first).toBe(200);
    expect(await inWork(2)).toEqual(["a", "b"]);
    works[1]?.done();
    expect(await second).toBe(200);
  });

  it("has not ended before the push that is in work", async () => {
    const events: string[] = [];
    const pushed = push("a", "1").then(() => events.push("pushed"));
    await inWork(1);
    const ended = receiver.ended.then(() => events.push("ended"));
    receiver.release();
    await answered();
    expect(events).toEqual([]);
    works[0]?.done();
    await Promise.all([ended, pushed]);
  });

  it("takes nothing over after the end", async () => {
    receiver.release();
    await receiver.ended;
    await expect(push("a", "1")).rejects.toThrow("fetch failed");
    expect(works).toEqual([]);
  });

  it("goes on after a connection that is cut in the middle of a push", async () => {
    const { hostname, port, pathname } = new URL(receiver.url);
    const socket = connect(Number(port), hostname);
    const head = `POST ${pathname}/v2/metrics/1 HTTP/1.1\r\nHost: k6\r\nContent-Length: 9\r\n\r\nhalf`;
    await new Promise((written) => socket.write(head, written));
    await answered();
    socket.resetAndDestroy();
    await once(socket, "close");
    const pushed = push("whole", "1");
    expect(await inWork(1)).toEqual(["whole"]);
    works[0]?.done();
    expect(await pushed).toBe(200);
    receiver.release();
    await expect(receiver.ended).resolves.toBeUndefined();
  });

  it("ends with the error of a push", async () => {
    const pushed = push("a", "1");
    await inWork(1);
    works[0]?.fail(new Error("not a message"));
    await expect(receiver.ended).rejects.toThrow("not a message");
    await expect(pushed).rejects.toThrow("fetch failed");
  });
});

import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { defaultViewerLimits, Viewer } from "../../../../src/server/live-feed/viewer.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

interface Watched extends AsyncDisposable {
  readonly viewer: Viewer;
  readonly clock: FakeClock;
  readonly client: Socket;
  readonly gone: Promise<Viewer>;
  /** What the client has got. */
  readonly text: () => string;
}

/** A viewer of a real connection. */
async function watch(limits: Partial<typeof defaultViewerLimits> = {}): Promise<Watched> {
  const clock = new FakeClock();
  let onOpened: (viewer: Viewer) => void;
  let onGone: (viewer: Viewer) => void;
  const opened = new Promise<Viewer>((resolve) => (onOpened = resolve));
  const gone = new Promise<Viewer>((resolve) => (onGone = resolve));
  const server = createServer((_, response) => {
    onOpened(new Viewer(response, clock, { ...defaultViewerLimits, ...limits }, onGone));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let text = "";
  client.on("data", (bytes) => (text += bytes.toString()));
  client.on("error", () => undefined);
  client.write("GET / HTTP/1.1\r\nHost: plimsoll\r\n\r\n");
  return {
    viewer: await opened,
    clock,
    client,
    gone,
    text: () => text,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const event = Buffer.from(`data: ${"x".repeat(100_000)}\n\n`);

describe("a viewer", () => {
  it("is told to come back a second later, and gets what is sent", async () => {
    await using watched = await watch();
    watched.viewer.send(Buffer.from("data: 1\n\n"));
    await vi.waitFor(() => expect(watched.text()).toContain("data: 1"));
    expect(watched.text()).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream/);
    expect(watched.text()).toContain("retry: 1000\n\n");
  });

  it("gets a comment where nothing was sent for a while", async () => {
    await using watched = await watch();
    watched.clock.advance(14_999);
    watched.viewer.tick();
    watched.clock.advance(1);
    watched.viewer.tick();
    watched.viewer.tick();
    await vi.waitFor(() => expect(watched.text().split(": still here")).toHaveLength(2));
  });

  it("that does not read is cut off before much waits for it", async () => {
    await using watched = await watch({ waitingLimitBytes: 200_000 });
    watched.client.pause();
    let isGone = false;
    void watched.gone.then(() => (isGone = true));
    // The kernel takes some megabytes first.
    for (let sent = 0; sent < 1_000 && !isGone; sent += 1) {
      watched.viewer.send(event);
      await new Promise(setImmediate);
    }
    expect(isGone).toBe(true);
  });

  it("that stands still for half a minute is cut off, and one that goes on is not", async () => {
    await using watched = await watch({ waitingLimitBytes: 2 ** 30 });
    watched.client.pause();
    for (let sent = 0; sent < 200; sent += 1) watched.viewer.send(event);
    watched.clock.advance(29_000);
    watched.viewer.tick();
    watched.client.resume();
    await vi.waitFor(() => expect(watched.text().length).toBeGreaterThan(200 * 100_000));
    let isGone = false;
    void watched.gone.then(() => (isGone = true));
    watched.clock.advance(29_000);
    watched.viewer.tick();
    expect(isGone).toBe(false);
    watched.client.pause();
    for (let sent = 0; sent < 200; sent += 1) watched.viewer.send(event);
    watched.clock.advance(30_001);
    watched.viewer.tick();
    await watched.gone;
  });

  it("is over for us, too, when it left before it was opened", async () => {
    const clock = new FakeClock();
    let onGone: (viewer: Viewer) => void;
    const gone = new Promise<Viewer>((resolve) => (onGone = resolve));
    const server = createServer((_, response) => {
      response.once("close", () =>
        setImmediate(() => new Viewer(response, clock, defaultViewerLimits, onGone)),
      );
      client.destroy();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nHost: plimsoll\r\n\r\n");
    await gone;
    server.close();
    await once(server, "close");
  });

  it("is over for us when it leaves", async () => {
    await using watched = await watch();
    watched.client.destroy();
    await watched.gone;
    watched.viewer.send(event);
  });
});

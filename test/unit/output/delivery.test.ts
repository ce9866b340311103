import { describe, expect, it } from "vitest";
import type { OutputSeries } from "../../../src/aggregate/series-point.ts";
import { type Clock, systemClock } from "../../../src/clock.ts";
import { Delivery } from "../../../src/output/delivery.ts";
import { queueOf } from "../../../src/output/queue-router.ts";
import { RemoteWriteClient } from "../../../src/send/remote-write-client.ts";
import { Transport } from "../../../src/send/transport.ts";
import { RunSpool } from "../../../src/spool/run-spool.ts";
import {
  startReceiverServer,
  storedAnswer,
  type ReceiverServerOptions,
} from "../../support/receiver-server.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

const startMs = 1_700_000_000_000;
const seriesCount = 40;
const intervals = 5;

const seriesOf = (id: number, name = "requests"): OutputSeries => ({
  id,
  labels: [
    { name: "__name__", value: name },
    { name: "page", value: `p${id}` },
  ],
  family: { name, type: "counter", help: "", unit: "" },
  isNative: false,
});

/** Everything is real but the receiver's mood. */
async function setUp(
  queues: number,
  script: ReceiverServerOptions = {},
  clock: Clock = systemClock,
) {
  const folder = await createTemporaryFolder();
  const server = await startReceiverServer(script);
  const spool = await RunSpool.open(folder.path, { queues });
  const client = new RemoteWriteClient({
    url: server.url,
    userAgent: "plimsoll/1.2.3",
    clock,
    transport: new Transport({
      url: new URL(server.url),
      timeoutMs: 30_000,
      connections: queues,
    }),
  });
  const told: string[] = [];
  const delivery = new Delivery({
    spool,
    client,
    clock,
    random: () => 0,
    sampleAgeLimitMs: 0,
    onNotice: (text) => told.push(text),
  });
  return {
    server,
    delivery,
    told,
    [Symbol.asyncDispose]: async () => {
      await delivery.close();
      await client.close();
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** One point of each series per interval. */
function write(delivery: Delivery, protocol: "1" | "2" = "2"): void {
  const points = delivery.points(protocol);
  for (let interval = 1; interval <= intervals; interval++) {
    const timestampMs = startMs + interval * 1_000;
    for (let id = 0; id < seriesCount; id++)
      points.float(seriesOf(id), timestampMs, interval, startMs);
    points.intervalEnd(timestampMs);
  }
}

describe.each([1, 4])("in %d queues", (queues) => {
  it("delivers every point, keeps each series in order, and accounts for all of it", async () => {
    let away = 3;
    await using setup = await setUp(queues, {
      defaultAnswer: (request) => (away-- > 0 ? { status: 503 } : storedAnswer(request)),
    });
    const { delivery, server } = setup;
    write(delivery);
    expect(await delivery.drain(30_000)).toBe(true);
    const { points, state, sender, spoolBytes } = delivery.progress;
    const count = seriesCount * intervals;
    expect(points).toEqual({
      recovered: 0,
      encoded: count,
      delivered: count,
      pending: 0,
      rejected: new Map(),
    });
    expect(state).toEqual({ kind: "idle" });
    expect(sender.newestDeliveredTimestampMs).toBe(startMs + intervals * 1_000);
    expect(sender.requests).toBe(server.requests.length);
    expect(spoolBytes).toBe(0);
    expect(server.violations).toEqual([]);
    expect(server.connections).toBeLessThanOrEqual(queues);
  });

  it("says each thing once, however many queues meet it", async () => {
    await using setup = await setUp(queues, {
      defaultAnswer: ({ protocol }) => ({ status: protocol === "2" ? 415 : 400, body: "no" }),
    });
    const { delivery, told } = setup;
    write(delivery);
    await delivery.drain(30_000);
    expect(told).toEqual([
      expect.stringContaining("sending remote write 1.0 from here on"),
      expect.stringContaining("the receiver refused points (http_400)"),
    ]);
    const count = seriesCount * intervals;
    expect(delivery.progress.points.rejected).toEqual(new Map([["http_400", count]]));
  });
});

it("has a request of each queue under way at a time, and never two of one", async () => {
  const queues = 4;
  await using setup = await setUp(queues, { defaultAnswer: () => "hang" });
  write(setup.delivery);
  await setup.server.waitForRequests(queues);
  const inFlight = setup.server.requests.map(({ series }) =>
    series.flatMap(({ labels }) => labels.map(({ value }) => value)),
  );
  expect(inFlight).toHaveLength(queues);
  const pages = inFlight.flat().filter((value) => value.startsWith("p"));
  expect(new Set(pages).size).toBe(pages.length);
});

it("loses nothing and keeps the order when this machine's clock is set back by an hour", async () => {
  let backMs = 0;
  let away = 2;
  const clock: Clock = {
    nowMs: () => Date.now() - backMs,
    sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal),
  };
  const script: ReceiverServerOptions = {
    defaultAnswer: (request) => {
      if (away-- <= 0) return storedAnswer(request);
      backMs = 3_600_000;
      return { status: 503 };
    },
  };
  await using setup = await setUp(2, script, clock);
  write(setup.delivery);
  expect(await setup.delivery.drain(30_000)).toBe(true);
  expect(setup.delivery.progress.points.delivered).toBe(seriesCount * intervals);
  expect(setup.server.violations).toEqual([]);
});

describe("the queue of a series", () => {
  it("is the same in every process and version, because leftovers of it lie in that queue", () => {
    const queues = Array.from({ length: 12 }, (_, id) => queueOf(seriesOf(id), 16));
    expect(queues).toEqual([9, 2, 12, 11, 7, 8, 14, 5, 13, 6, 4, 2]);
  });

  it("is about as likely to be one as another", () => {
    const counts = new Map<number, number>();
    for (let id = 0; id < 16_000; id++) {
      const queue = queueOf(seriesOf(id), 16);
      counts.set(queue, (counts.get(queue) ?? 0) + 1);
    }
    expect(Math.min(...counts.values())).toBeGreaterThan(800);
    expect(Math.max(...counts.values())).toBeLessThan(1_200);
  });

  it("is the first for what is about the run as a whole", () => {
    const queues = Array.from({ length: 20 }, (_, id) =>
      queueOf(seriesOf(id, "plimsoll_run_info"), 16),
    );
    expect(new Set(queues)).toEqual(new Set([0]));
  });
});

import { array, assert, asyncProperty, constantFrom } from "fast-check";
import { compressSync } from "snappy";
import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../src/clock.ts";
import type { EncodedBatch } from "../../../src/encode/encoded-batch.ts";
import { toRemoteWrite1 } from "../../../src/encode/transcode.ts";
import { RemoteWriteClient } from "../../../src/send/remote-write-client.ts";
import { Sender, type SenderOptions } from "../../../src/send/sender.ts";
import { Spool } from "../../../src/spool/spool.ts";
import { encodeWriteRequest } from "../../support/encode-write-request.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { gaugeBatch } from "../../support/gauge-batch.ts";
import {
  startReceiverServer,
  storedAnswer,
  type ReceiverServerOptions,
  type ScriptedAnswer,
} from "../../support/receiver-server.ts";
import { WriteRequest } from "../../support/remote-write-proto.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

const startMs = 1_700_000_000_000;

/** The n-th batch: one float whose value is n, and its native histogram. */
const batchOf = (n: number, protocol: "1" | "2" = "2"): EncodedBatch =>
  encodeWriteRequest({ protocol, timestampMs: startMs + n, float: n, histogramCount: n });

interface Setup extends AsyncDisposable {
  readonly sender: Sender;
  readonly spool: Spool;
  readonly clock: FakeClock;
  readonly server: Awaited<ReturnType<typeof startReceiverServer>>;
  /** What the callbacks were told, in order. */
  readonly told: string[];
}

/** Everything is real but the time and the receiver's mood. */
async function setUp(
  script: ReceiverServerOptions = {},
  options: Partial<SenderOptions> = {},
): Promise<Setup> {
  const folder = await createTemporaryFolder();
  const server = await startReceiverServer(script);
  const spool = await Spool.open(folder.path);
  const clock = new FakeClock(startMs);
  const client = new RemoteWriteClient({ url: server.url, userAgent: "plimsoll/1.2.3", clock });
  const told: string[] = [];
  const sender = new Sender({
    spool,
    client,
    clock,
    random: () => 0,
    downgrade: ({ minTimestampMs }) => batchOf(minTimestampMs - startMs, "1"),
    onDowngrade: (text) => told.push(`downgrade: ${text}`),
    onRejected: (reason, text) => told.push(`${reason}: ${text}`),
    ...options,
  });
  return {
    sender,
    spool,
    clock,
    server,
    told,
    [Symbol.asyncDispose]: async () => {
      await sender.stop();
      await client.close();
      await spool.close();
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const valuesOf = ({ server }: Setup) =>
  server.requests.map(({ series }) => series[0]?.samples[0]?.value);

describe("sending", () => {
  it("delivers in order, over one connection, and says what it delivered", async () => {
    await using setup = await setUp();
    const { sender, spool, server } = setup;
    for (let n = 1; n <= 5; n++) spool.append(batchOf(n));
    expect(await sender.drain(1000)).toBe(true);
    expect(valuesOf(setup)).toEqual([1, 2, 3, 4, 5]);
    expect(server.violations).toEqual([]);
    expect(server.connections).toBe(1);
    expect(spool.pending.batches).toBe(0);
    const bytesSent = server.requests.reduce((sum, { body }) => sum + body.length, 0);
    expect(sender.totals).toEqual({
      delivered: { samples: 5, histograms: 5 },
      rejected: new Map(),
      retried: { samples: 0, histograms: 0 },
      requests: 5,
      bytesSent,
      newestDeliveredTimestampMs: startMs + 5,
    });
    expect(sender.state).toEqual({ kind: "idle" });
  });

  it("sends what is appended later, when it is woken", async () => {
    await using setup = await setUp();
    const { sender, spool, server } = setup;
    sender.wake();
    expect(sender.state).toEqual({ kind: "idle" });
    for (let n = 1; n <= 3; n++) {
      spool.append(batchOf(n));
      sender.wake();
      expect(sender.state).toEqual({ kind: "sending" });
      await server.waitForRequests(n);
    }
    expect(await sender.drain(1000)).toBe(true);
    expect(valuesOf(setup)).toEqual([1, 2, 3]);
  });

  it("has one request in flight, however often it is woken", async () => {
    await using setup = await setUp({ answers: ["hang"] });
    const { sender, spool, server } = setup;
    spool.append(batchOf(1));
    spool.append(batchOf(2));
    for (let count = 0; count < 5; count++) sender.wake();
    await server.waitForRequests(1);
    await sender.stop();
    expect(valuesOf(setup)).toEqual([1]);
  });
});

describe("retrying", () => {
  it("sends the same bytes again after longer and longer waits, and the rest behind them", async () => {
    await using setup = await setUp({
      answers: [{ status: 503, body: "starting" }, { status: 500 }, { status: 504 }],
    });
    const { sender, spool, clock, server } = setup;
    spool.append(batchOf(1));
    spool.append(batchOf(2));
    sender.wake();
    await clock.waitForSleep(100);
    expect(sender.state).toEqual({
      kind: "retrying",
      sinceMs: startMs,
      reason: "http_503",
      text: "HTTP 503: starting",
    });
    clock.advance(100);
    await clock.waitForSleep(200);
    expect(sender.state).toMatchObject({ sinceMs: startMs, reason: "http_500" });
    clock.advance(200);
    await clock.waitForSleep(400);
    clock.advance(400);
    expect(await sender.drain(1000)).toBe(true);
    expect(valuesOf(setup)).toEqual([1, 1, 1, 1, 2]);
    expect(server.requests[3]?.body).toEqual(server.requests[0]?.body);
    const attempts = server.requests.map(({ headers }) => headers["retry-attempt"]);
    expect(attempts).toEqual([undefined, "1", "2", "3", undefined]);
    expect(sender.totals.retried).toEqual({ samples: 3, histograms: 3 });
    expect(sender.totals.delivered).toEqual({ samples: 2, histograms: 2 });
  });

  it("waits as long as the receiver asks for", async () => {
    const headers = { "Retry-After": "17" };
    await using setup = await setUp({ answers: [{ status: 429, headers }] });
    const { sender, spool, clock } = setup;
    spool.append(batchOf(1));
    sender.wake();
    await clock.waitForSleep(17_000);
    clock.advance(17_000);
    expect(await sender.drain(1000)).toBe(true);
  });

  it("keeps the batch when the connection breaks", async () => {
    await using setup = await setUp({ answers: ["reset"] });
    const { sender, spool, clock } = setup;
    spool.append(batchOf(1));
    sender.wake();
    await clock.waitForSleep(100);
    expect(sender.state).toMatchObject({ kind: "retrying", reason: "connection_reset" });
    clock.advance(100);
    expect(await sender.drain(1000)).toBe(true);
    expect(sender.totals.delivered.samples).toBe(1);
  });
});

describe("the end", () => {
  it("gives up a wait when the time is over, and keeps what is not delivered", async () => {
    await using setup = await setUp({ defaultAnswer: () => ({ status: 503 }) });
    const { sender, spool, clock } = setup;
    for (let n = 1; n <= 3; n++) spool.append(batchOf(n));
    const drained = sender.drain(5000);
    for (const waitMs of [100, 200, 400, 800, 1600]) {
      await clock.waitForSleep(waitMs);
      clock.advance(waitMs);
    }
    await clock.waitForSleep(3200);
    clock.advance(1900);
    expect(await drained).toBe(false);
    expect(spool.pending.batches).toBe(3);
    expect(sender.state).toEqual({ kind: "idle" });
    expect(clock.sleeping).toEqual([]);
  });

  it("gives up a request when the time is over, and can go on later", async () => {
    await using setup = await setUp({ answers: ["hang"] });
    const { sender, spool, clock, server } = setup;
    spool.append(batchOf(1));
    const drained = sender.drain(5000);
    await server.waitForRequests(1);
    clock.advance(5000);
    expect(await drained).toBe(false);
    expect(await sender.drain(5000)).toBe(true);
    expect(valuesOf(setup)).toEqual([1, 1]);
    expect(server.violations).toEqual([]);
  });

  it("does not wait for new credentials when the time is over", async () => {
    await using server = await startReceiverServer({ answers: [{ status: 401 }] });
    await using client = new RemoteWriteClient({
      url: server.url,
      userAgent: "plimsoll/1.2.3",
      clock: systemClock,
    });
    let asked = 0;
    await using setup = await setUp(
      {},
      {
        client: {
          send: (...args) => client.send(...args),
          refreshCredentials: () => {
            asked += 1;
            return new Promise(() => undefined);
          },
        },
      },
    );
    const { sender, spool, clock } = setup;
    spool.append(batchOf(1));
    const drained = sender.drain(1000);
    await expect.poll(() => asked).toBe(1);
    clock.advance(1000);
    expect(await drained).toBe(false);
    expect(spool.pending.batches).toBe(1);
  });

  it("stops at once, and keeps the batch", async () => {
    await using setup = await setUp({ answers: ["hang"] });
    const { sender, spool, server } = setup;
    spool.append(batchOf(1));
    sender.wake();
    await server.waitForRequests(1);
    await sender.stop();
    expect(sender.state).toEqual({ kind: "idle" });
    expect(spool.pending.batches).toBe(1);
    expect(sender.totals.requests).toBe(0);
  });
});

describe("a batch in parts", () => {
  /** Takes one point at a time. */
  const one: ReceiverServerOptions["defaultAnswer"] = (request) =>
    request.series.length > 1 ? { status: 413 } : storedAnswer(request);

  it("given up between two of them stays whole, and is sent whole and counted once by whoever is next", async () => {
    let isSlow = true;
    await using setup = await setUp({
      defaultAnswer: (request) =>
        isSlow && request.series[0]?.labels.some(({ value }) => value === "3")
          ? "hang"
          : one(request),
    });
    const { sender, spool, server } = setup;
    spool.append(gaugeBatch("1", 4, startMs));
    sender.wake();
    // 4, 2, and the points 0, 1, 2, 3.
    await server.waitForRequests(6);
    await sender.stop();
    expect(sender.totals.delivered).toEqual({ samples: 0, histograms: 0 });
    expect(spool.pending.samples).toBe(4);
    isSlow = false;
    expect(await sender.drain(1000)).toBe(true);
    expect(sender.totals.delivered).toEqual({ samples: 4, histograms: 0 });
    expect(sender.totals.rejected).toEqual(new Map());
    expect(server.violations).toEqual([]);
  });

  it("keeps the order of a series that is in it twice", async () => {
    await using setup = await setUp({ defaultAnswer: one });
    const { sender, spool, server } = setup;
    const points = [1, 2, 3].map((n) => ({ timestamp: startMs + n, value: n }));
    const timeseries = points.map((point) => ({
      labels: [{ name: "__name__", value: "m" }],
      samples: [point],
    }));
    const message = WriteRequest.encode(WriteRequest.fromObject({ timeseries })).finish();
    const times = { minTimestampMs: startMs + 1, maxTimestampMs: startMs + 3 };
    spool.append({
      protocol: "1",
      body: compressSync(message),
      samples: 3,
      histograms: 0,
      ...times,
    });
    expect(await sender.drain(1000)).toBe(true);
    const single = server.requests.filter(({ series }) => series.length === 1);
    expect(single.map(({ series }) => series[0]?.samples[0]?.value)).toEqual([1, 2, 3]);
    expect(server.violations).toEqual([]);
  });
});

describe("what is held", () => {
  it("is tried at once, and then more often, when the run ends", async () => {
    await using setup = await setUp({
      answers: Array.from({ length: 4 }, () => ({ status: 401 })),
    });
    const { sender, spool, clock, server } = setup;
    spool.append(batchOf(1));
    sender.wake();
    await clock.waitForSleep(30_000);
    expect(sender.state).toEqual({
      kind: "held",
      sinceMs: startMs,
      reason: "http_401",
      text: "HTTP 401",
    });
    clock.advance(30_000);
    await server.waitForRequests(2);
    await clock.waitForSleep(30_000);
    const drained = sender.drain(60_000);
    await server.waitForRequests(3);
    await clock.waitForSleep(5_000);
    clock.advance(5_000);
    await server.waitForRequests(4);
    await clock.waitForSleep(5_000);
    clock.advance(5_000);
    expect(await drained).toBe(true);
    expect(clock.sleeping).toEqual([]);
    expect(sender.totals).toMatchObject({ delivered: { samples: 1 }, rejected: new Map() });
  });

  it("stays in the spool when the time at the end of a run is over", async () => {
    await using setup = await setUp({ defaultAnswer: () => ({ status: 404 }) });
    const { sender, spool, clock } = setup;
    spool.append(batchOf(1));
    const drained = sender.drain(7_000);
    await clock.waitForSleep(5_000);
    clock.advance(5_000);
    await clock.waitForSleep(5_000);
    clock.advance(2_000);
    expect(await drained).toBe(false);
    expect(spool.pending.batches).toBe(1);
    expect(clock.sleeping).toEqual([]);
  });
});

describe("what is lost", () => {
  it("is counted by reason, and its first text told once", async () => {
    await using setup = await setUp({
      answers: [
        { status: 400, body: "out of order sample" },
        { status: 400, body: "duplicate sample" },
        { status: 422 },
      ],
    });
    const { sender, spool, told } = setup;
    for (let n = 1; n <= 4; n++) spool.append(batchOf(n));
    expect(await sender.drain(1000)).toBe(true);
    expect(valuesOf(setup)).toEqual([1, 2, 3, 4]);
    expect(told).toEqual(["http_400: HTTP 400: out of order sample", "http_422: HTTP 422"]);
    expect([...sender.totals.rejected]).toEqual([
      ["http_400", { samples: 2, histograms: 2 }],
      ["http_422", { samples: 1, histograms: 1 }],
    ]);
    expect(sender.totals.delivered).toEqual({ samples: 1, histograms: 1 });
  });

  it("is what the Written headers leave out", async () => {
    const headers = { "X-Prometheus-Remote-Write-Samples-Written": "1" };
    await using setup = await setUp({
      answers: [
        { status: 204, headers },
        { status: 400, headers, body: "too many buckets" },
      ],
    });
    const { sender, spool } = setup;
    spool.append(batchOf(1));
    spool.append(batchOf(2));
    expect(await sender.drain(1000)).toBe(true);
    expect(sender.totals.delivered).toEqual({ samples: 2, histograms: 0 });
    expect([...sender.totals.rejected]).toEqual([
      ["not_written", { samples: 0, histograms: 1 }],
      ["http_400", { samples: 0, histograms: 1 }],
    ]);
  });
});

describe("a receiver of 1.0", () => {
  /** Decodes 2.0 as an empty message, and is content with it: VictoriaMetrics, old Prometheus. */
  const only1: ReceiverServerOptions["defaultAnswer"] = () => ({ status: 204 });

  it("gets every batch as 1.0 from the first one on, none of them lost", async () => {
    await using setup = await setUp({ defaultAnswer: only1 });
    const { sender, spool, server, told } = setup;
    for (let n = 1; n <= 3; n++) spool.append(batchOf(n));
    expect(await sender.drain(1000)).toBe(true);
    expect(server.requests.map(({ protocol }) => protocol)).toEqual(["2", "1", "1", "1"]);
    expect(valuesOf(setup)).toEqual([1, 1, 2, 3]);
    expect(told).toEqual([
      "downgrade: HTTP 204 without Written headers: the receiver does not know remote write 2.0",
    ]);
    expect(sender.totals.delivered).toEqual({ samples: 3, histograms: 3 });
  });

  it("is told apart by 415, too", async () => {
    await using setup = await setUp({ answers: [{ status: 415 }] });
    const { sender, spool, server } = setup;
    spool.append(batchOf(1));
    expect(await sender.drain(1000)).toBe(true);
    expect(server.requests.map(({ protocol }) => protocol)).toEqual(["2", "1"]);
  });

  it("costs what 1.0 has no form for, which is counted", async () => {
    const floatOnly: SenderOptions["downgrade"] = ({ sequence }) =>
      sequence === 2
        ? undefined
        : encodeWriteRequest({ protocol: "1", timestampMs: startMs + sequence, float: sequence });
    await using setup = await setUp({ defaultAnswer: only1 }, { downgrade: floatOnly });
    const { sender, spool } = setup;
    for (let n = 1; n <= 3; n++) spool.append(batchOf(n));
    expect(await sender.drain(1000)).toBe(true);
    expect(valuesOf(setup)).toEqual([1, 1, 3]);
    expect(sender.totals.delivered).toEqual({ samples: 2, histograms: 0 });
    expect([...sender.totals.rejected]).toEqual([
      ["not_in_protocol_1", { samples: 1, histograms: 3 }],
    ]);
  });
});

it("tells its caller of a bug instead of trying for ever", async () => {
  const bug = new Error("cannot transcode");
  const downgrade = () => {
    throw bug;
  };
  await using setup = await setUp({ answers: [{ status: 415 }] }, { downgrade });
  const { sender, spool } = setup;
  spool.append(batchOf(1));
  await expect(sender.drain(1000)).rejects.toBe(bug);
  expect(() => sender.wake()).toThrow(bug);
  expect(spool.pending.batches).toBe(1);
});

it("accounts for every point, whatever the receiver answers", async () => {
  const written = { "X-Prometheus-Remote-Write-Samples-Written": "1" };
  const answer = constantFrom<ScriptedAnswer>(
    { status: 204 },
    { status: 204, headers: written },
    { status: 400 },
    { status: 400, headers: written },
    { status: 415 },
    { status: 503 },
    { status: 429, headers: { "Retry-After": "1" } },
    { status: 302 },
    { status: 401 },
    { status: 409 },
    { status: 413 },
    { status: 501 },
    { status: 200, headers: { "Content-Type": "text/html" } },
    "reset",
  );
  const protocols = constantFrom("1" as const, "2" as const);
  await assert(
    asyncProperty(array(answer, { maxLength: 12 }), protocols, async (answers, protocol) => {
      // Waits between retries take no time; the drain's own time-out does.
      const drainMs = 20_000;
      const clock: Clock = {
        nowMs: () => systemClock.nowMs(),
        sleep: (durationMs, signal) =>
          systemClock.sleep(durationMs === drainMs ? durationMs : 0, signal),
      };
      await using setup = await setUp(
        { answers, defaultAnswer: storedAnswer },
        { clock, downgrade: toRemoteWrite1 },
      );
      const { sender, spool } = setup;
      for (let n = 1; n <= 5; n++) spool.append(batchOf(n, protocol));
      expect(await sender.drain(drainMs)).toBe(true);
      const { delivered, rejected } = sender.totals;
      const lost = [...rejected.values()];
      for (const kind of ["samples", "histograms"] as const) {
        expect(lost.reduce((sum, counts) => sum + counts[kind], delivered[kind])).toBe(5);
      }
    }),
    { numRuns: 30 },
  );
});

import { describe, expect, it } from "vitest";
import { probe, type ProbeOptions, type ProbeResult } from "../../../src/send/probe.ts";
import { RemoteWriteClient } from "../../../src/send/remote-write-client.ts";
import { encodeWriteRequest } from "../../support/encode-write-request.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  startReceiverServer,
  storedAnswer,
  type ReceivedRequest,
  type ReceiverServerOptions,
  type ScriptedAnswer,
} from "../../support/receiver-server.ts";

interface Probed {
  readonly result: ProbeResult;
  /** What was asked, in order, e.g. `2 float histogram`. */
  readonly asked: readonly string[];
}

const contentOf = ({ protocol, series }: ReceivedRequest) =>
  [
    protocol,
    ...(series.some(({ samples }) => samples.length > 0) ? ["float"] : []),
    ...(series.some(({ histograms }) => histograms.length > 0) ? ["histogram"] : []),
  ].join(" ");

/** The probe's waits end as soon as they begin, and cost the time that they should. */
class HastyClock extends FakeClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const sleeping = super.sleep(durationMs, signal);
    // The longest sleep is the probe's own deadline, and passes with the others.
    if (this.sleeping.length > 1) this.advance(durationMs);
    return sleeping;
  }
}

async function probeReceiver(
  script: ReceiverServerOptions,
  settings: Partial<ProbeOptions> = {},
): Promise<Probed> {
  await using server = await startReceiverServer(script);
  const clock = new HastyClock();
  await using client = new RemoteWriteClient({ url: server.url, userAgent: "plimsoll/1", clock });
  let timestampMs = clock.nowMs();
  const result = await probe({
    client,
    encode: (protocol, points) =>
      encodeWriteRequest({
        protocol,
        timestampMs: timestampMs++,
        ...(points.float && { float: 1 }),
        ...(points.histogram && { histogramCount: 1 }),
      }),
    protocol: "auto",
    clock,
    random: () => 0,
    ...settings,
  });
  return { result, asked: server.requests.map(contentOf) };
}

const hasHistogram = ({ series }: ReceivedRequest) =>
  series.some(({ histograms }) => histograms.length > 0);

const only1 = (): ScriptedAnswer => ({ status: 204 });

describe("a receiver of 2.0", () => {
  it.each(["auto", "2"] as const)("is found by one request (protocol %s)", async (protocol) => {
    const { result, asked } = await probeReceiver({}, { protocol });
    expect(result).toEqual({ kind: "accepted", protocol: "2", nativeHistograms: true });
    expect(asked).toEqual(["2 float histogram"]);
  });

  it.each([204, 400])(
    "is found by what it stored, if not the histogram, with %i",
    async (status) => {
      const headers = { "X-Prometheus-Remote-Write-Samples-Written": "1" };
      const { result } = await probeReceiver({ answers: [{ status, headers }] });
      expect(result).toEqual({ kind: "accepted", protocol: "2", nativeHistograms: false });
    },
  );

  it("is asked again without the histogram where that costs it everything", async () => {
    const defaultAnswer = (request: ReceivedRequest) =>
      hasHistogram(request) ? { status: 500 } : storedAnswer(request);
    const { result, asked } = await probeReceiver({ defaultAnswer });
    expect(result).toEqual({ kind: "accepted", protocol: "2", nativeHistograms: false });
    expect(asked).toEqual(["2 float histogram", "2 float"]);
  });

  it("is not taken for less while it starts", async () => {
    const { result, asked } = await probeReceiver({
      answers: [{ status: 503 }, { status: 503 }, "reset"],
    });
    expect(result).toEqual({ kind: "accepted", protocol: "2", nativeHistograms: true });
    expect(asked).toEqual(Array(4).fill("2 float histogram"));
  });

  it("is asked in 1.0 only where that is forced", async () => {
    const { result, asked } = await probeReceiver({}, { protocol: "1" });
    expect(result).toEqual({ kind: "accepted", protocol: "1", nativeHistograms: "unverified" });
    expect(asked).toEqual(["1 float", "1 histogram"]);
  });
});

describe("a receiver of 1.0", () => {
  it.each([
    { answer: "2xx without Written headers", status: 204 },
    { answer: "415", status: 415 },
    { answer: "400", status: 400 },
    { answer: "500", status: 500 },
  ])("is found after $answer to 2.0", async ({ status }) => {
    const defaultAnswer = ({ protocol }: ReceivedRequest) =>
      protocol === "2" ? { status } : { status: 204 };
    const { result } = await probeReceiver({ defaultAnswer });
    expect(result).toEqual({ kind: "accepted", protocol: "1", nativeHistograms: "unverified" });
  });

  it.each([400, 500])("has no native histograms where it answers them %i, once", async (status) => {
    const defaultAnswer = (request: ReceivedRequest) =>
      request.protocol === "1" && hasHistogram(request) ? { status } : only1();
    const { result, asked } = await probeReceiver({ defaultAnswer });
    expect(result).toEqual({ kind: "accepted", protocol: "1", nativeHistograms: false });
    expect(asked).toEqual(["2 float histogram", "1 float", "1 histogram"]);
  });

  it.each([
    { seen: true, nativeHistograms: true },
    { seen: false, nativeHistograms: false },
    { seen: undefined, nativeHistograms: "unverified" },
  ])("has native histograms: $nativeHistograms, where the store shows $seen", async (row) => {
    const verifyHistogramStored = () => Promise.resolve(row.seen);
    const { result } = await probeReceiver({ defaultAnswer: only1 }, { verifyHistogramStored });
    expect(result).toMatchObject({ kind: "accepted", nativeHistograms: row.nativeHistograms });
  });

  it("is refused where 2.0 is forced", async () => {
    const { result } = await probeReceiver({ defaultAnswer: only1 }, { protocol: "2" });
    expect(result).toMatchObject({
      kind: "refused",
      reason: "unsupported",
      text: expect.stringContaining("use remote write 1.0, or let the protocol be found out"),
    });
  });
});

describe("no receiver", () => {
  const html = { "Content-Type": "text/html" };
  it.each([
    { status: 401, reason: "http_401", advice: "user name, password or token was refused" },
    { status: 403, reason: "http_403", advice: "user name, password or token was refused" },
    { status: 404, reason: "http_404", advice: "for Prometheus it is /api/v1/write" },
    { status: 404, reason: "http_404", advice: "--web.enable-remote-write-receiver" },
    { status: 404, reason: "http_404", advice: "for Mimir it is /api/v1/push" },
    { status: 405, reason: "http_405", advice: "nothing takes remote write at this path" },
    { status: 302, reason: "http_302", advice: "configuration error" },
    { status: 200, headers: html, reason: "html_answer", advice: "a login page or a wrong path?" },
  ])("is told at once by $reason: $advice", async ({ status, headers = {}, reason, advice }) => {
    const { result, asked } = await probeReceiver({ defaultAnswer: () => ({ status, headers }) });
    expect(result).toMatchObject({ kind: "refused", reason });
    expect(result).toMatchObject({ text: expect.stringContaining(advice) });
    expect(result).toMatchObject({
      text: expect.stringMatching(
        /^remote write to "http:\/\/127\.0\.0\.1:\d+\/api\/v1\/write" does not work: /,
      ),
    });
    expect(asked).toEqual(["2 float histogram"]);
  });

  it.each([500, 503, 429])("is told after 5 s of %i", async (status) => {
    const { result, asked } = await probeReceiver({
      defaultAnswer: () => ({ status, body: "not today" }),
    });
    expect(result).toMatchObject({
      kind: "refused",
      reason: `http_${status}`,
      text: expect.stringContaining("not today"),
    });
    expect(asked.length).toBeGreaterThanOrEqual(6);
  });

  it("is told at once where the receiver speaks no TLS", async () => {
    await using server = await startReceiverServer();
    const clock = new FakeClock();
    const url = server.url.replace("http:", "https:");
    await using client = new RemoteWriteClient({ url, userAgent: "plimsoll/1", clock });
    const result = await probe({
      client,
      encode: (protocol) => encodeWriteRequest({ protocol, timestampMs: 1, float: 1 }),
      protocol: "auto",
      clock,
      random: () => 0,
    });
    expect(result).toMatchObject({ kind: "refused", reason: "tls" });
  });

  it("is told by silence", async () => {
    await using server = await startReceiverServer({ answers: ["hang"] });
    const clock = new FakeClock();
    await using client = new RemoteWriteClient({ url: server.url, userAgent: "plimsoll/1", clock });
    const probing = probe({
      client,
      encode: (protocol) => encodeWriteRequest({ protocol, timestampMs: 1, float: 1 }),
      protocol: "auto",
      clock,
      random: () => 0,
      timeoutMs: 2000,
    });
    await server.waitForRequests(1);
    clock.advance(2000);
    expect(await probing).toMatchObject({
      kind: "refused",
      reason: "timeout",
      text: expect.stringContaining("no answer in time"),
    });
  });

  it("shows neither password nor query string", async () => {
    await using server = await startReceiverServer({ defaultAnswer: () => ({ status: 401 }) });
    const url = `${server.url.replace("//", "//ann:hunter2@")}?token=secret`;
    const clock = new FakeClock();
    await using client = new RemoteWriteClient({ url, userAgent: "plimsoll/1", clock });
    const result = await probe({
      client,
      encode: (protocol) => encodeWriteRequest({ protocol, timestampMs: 1, float: 1 }),
      protocol: "auto",
      clock,
      random: () => 0,
    });
    expect(JSON.stringify(result)).not.toMatch(/hunter2|secret|ann/);
    expect(result).toMatchObject({ text: expect.stringContaining(JSON.stringify(server.url)) });
  });
});

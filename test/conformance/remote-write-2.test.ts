/**
 * Remote-Write 2.0: each MUST about the request's headers and about answers, one test each.
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
 */
import { describe, expect, it } from "vitest";
import { encodeWriteRequest } from "../support/encode-write-request.ts";
import { exchange } from "../support/exchange.ts";
import type { ScriptedAnswer } from "../support/receiver-server.ts";

const timestampMs = 1_700_000_000_000;
const batch = encodeWriteRequest({ protocol: "2", timestampMs, float: 1, histogramCount: 2 });
const written = (samples: number, histograms: number) => ({
  "X-Prometheus-Remote-Write-Samples-Written": String(samples),
  "X-Prometheus-Remote-Write-Histograms-Written": String(histograms),
});

const send = (answer: ScriptedAnswer = { status: 204, headers: written(1, 1) }) =>
  exchange(batch, answer);

describe("Protocol", () => {
  it.each([
    { name: "content-encoding", value: "snappy" },
    // Without a space: Prometheus takes "; proto=" for a message of 1.0, and stores nothing.
    {
      name: "content-type",
      value: "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    },
    { name: "user-agent", value: "plimsoll/1.2.3" },
    { name: "x-prometheus-remote-write-version", value: "2.0.0" },
  ])("MUST send $name: $value", async ({ name, value }) => {
    const { request, violations } = await send();
    expect(request.headers[name]).toBe(value);
    expect(violations).toEqual([]);
  });
});

describe("Required Written Response Headers", () => {
  it("takes the counts from the headers", async () => {
    const { outcome } = await send();
    expect(outcome).toEqual({ kind: "sent", samplesWritten: 1, histogramsWritten: 1 });
  });

  it("MUST assume 0 for a missing header of 2xx and 4xx", async () => {
    const headers = { "X-Prometheus-Remote-Write-Samples-Written": "1" };
    for (const status of [204, 400]) {
      const { outcome } = await send({ status, headers });
      expect(outcome).toMatchObject({ samplesWritten: 1, histogramsWritten: 0 });
    }
  });

  it("assumes that a receiver without any of the headers does not support 2.0", async () => {
    expect((await send({ status: 204 })).outcome.kind).toBe("unsupported");
  });
});

describe("Partial Write", () => {
  it("counts what a 400 stored, and MUST NOT retry", async () => {
    const { outcome } = await send({ status: 400, headers: written(1, 0), body: "too old" });
    expect(outcome).toEqual({
      kind: "rejected",
      reason: "http_400",
      text: "HTTP 400: too old",
      samplesWritten: 1,
      histogramsWritten: 0,
    });
  });
});

describe("Unsupported Request Content", () => {
  it("MAY retry after 415 with another content type", async () => {
    expect((await send({ status: 415 })).outcome.kind).toBe("unsupported");
  });

  it("MUST NOT retry after 400, whatever its text says", async () => {
    const { outcome } = await send({ status: 400, body: "please retry: unsupported media type" });
    expect(outcome.kind).toBe("rejected");
  });
});

describe("Retries & Backoff", () => {
  it.each([500, 503, 429])(
    "retries the request after %i, and ignores the headers",
    async (status) => {
      const { outcome } = await send({ status, headers: written(1, 1) });
      expect(outcome).toEqual({ kind: "retry", reason: `http_${status}`, text: `HTTP ${status}` });
    },
  );
});

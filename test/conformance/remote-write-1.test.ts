/**
 * Remote-Write 1.0: each MUST about the request's headers and about answers, one test each.
 * Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
import { describe, expect, it } from "vitest";
import { encodeWriteRequest } from "../support/encode-write-request.ts";
import { exchange } from "../support/exchange.ts";
import type { ScriptedAnswer } from "../support/receiver-server.ts";

const batch = encodeWriteRequest({ protocol: "1", timestampMs: 1_700_000_000_000, float: 1 });

const send = (answer: ScriptedAnswer = { status: 204 }) => exchange(batch, answer);

describe("Protocol", () => {
  it("MUST send the request by POST", async () => {
    const { request, violations } = await send();
    expect(request.method).toBe("POST");
    expect(violations).toEqual([]);
  });

  it.each([
    { name: "content-encoding", value: "snappy" },
    { name: "content-type", value: "application/x-protobuf" },
    { name: "user-agent", value: "plimsoll/1.2.3" },
    { name: "x-prometheus-remote-write-version", value: "0.1.0" },
  ])("MUST send $name: $value", async ({ name, value }) => {
    const { request } = await send();
    expect(request.headers[name]).toBe(value);
  });

  it("sends the body byte for byte, with its length", async () => {
    const { request } = await send();
    expect(request.body).toEqual(Buffer.from(batch.body));
    expect(request.headers["content-length"]).toBe(String(batch.body.byteLength));
    expect(request.headers["transfer-encoding"]).toBeUndefined();
  });
});

describe("Retries & Backoff", () => {
  it.each([500, 502, 503, 504, 599])("MUST retry after %i", async (status) => {
    expect((await send({ status })).outcome.kind).toBe("retry");
  });

  it("MAY retry after 429, and honours Retry-After", async () => {
    const { outcome } = await send({ status: 429, headers: { "Retry-After": "3" } });
    expect(outcome).toMatchObject({ kind: "retry", retryAfterMs: 3000 });
  });

  it.each([400, 409, 415, 422])("MUST NOT retry after %i", async (status) => {
    expect((await send({ status })).outcome.kind).toBe("rejected");
  });

  // The request is not repeated as it is: 413 is answered with smaller ones, and after the others it waits for a
  // person. docs/delivery.md says why.
  it.each([
    { status: 413, kind: "too_large" },
    ...[401, 403, 404, 405].map((status) => ({ status, kind: "held" })),
  ])("does not retry as after 5xx where the answer is $status", async ({ status, kind }) => {
    expect((await send({ status })).outcome.kind).toBe(kind);
  });

  it.each([200, 202, 204])("takes %i for success and ignores the body", async (status) => {
    const { outcome } = await send(status === 204 ? { status } : { status, body: "error" });
    expect(outcome).toEqual({ kind: "sent", samplesWritten: 1, histogramsWritten: 0 });
  });
});

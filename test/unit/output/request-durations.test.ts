import { expect, it } from "vitest";
import { RequestDurations } from "../../../src/output/request-durations.ts";
import type { SendOutcome } from "../../../src/send/send-outcome.ts";
import { encodeWriteRequest } from "../../support/encode-write-request.ts";

const batch = encodeWriteRequest({ protocol: "2", timestampMs: 1, metric: "m", float: 1 });
const nothing = { samplesWritten: 0, histogramsWritten: 0 };
const text = "";

const rows: readonly { outcome: SendOutcome; status: string }[] = [
  { outcome: { kind: "sent", samplesWritten: 1, histogramsWritten: 0 }, status: "2xx" },
  { outcome: { kind: "retry", reason: "http_503", text }, status: "5xx" },
  { outcome: { kind: "retry", reason: "http_429", text }, status: "4xx" },
  { outcome: { kind: "retry", reason: "connection_refused", text }, status: "none" },
  { outcome: { kind: "rejected", reason: "http_400", text, ...nothing }, status: "4xx" },
  { outcome: { kind: "rejected", reason: "html_answer", text, ...nothing }, status: "2xx" },
  { outcome: { kind: "unsupported", text }, status: "unsupported" },
];

it.each(rows)("counts a request under $status: $outcome.kind $outcome.reason", async (row) => {
  const durations = new RequestDurations();
  const client = durations.observing({ send: async () => row.outcome });
  expect(await client.send(batch, 0)).toBe(row.outcome);
  await client.send(batch, 1);
  const [observed, ...others] = durations.all;
  expect(others).toEqual([]);
  expect(observed).toMatchObject({ protocol: "2", status: row.status });
  expect(observed?.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  expect(observed?.sumSeconds).toBeGreaterThan(0);
});

it("counts no request that was given up", async () => {
  const durations = new RequestDurations();
  const client = durations.observing({ send: () => Promise.reject(new Error("given up")) });
  await expect(client.send(batch, 0)).rejects.toThrow("given up");
  expect([...durations.all]).toEqual([]);
});

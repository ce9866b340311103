/** One batch, sent by the real client to a scripted receiver: what each side saw. */
import { systemClock } from "../../src/clock.ts";
import type { EncodedBatch } from "../../src/encode/encoded-batch.ts";
import { RemoteWriteClient } from "../../src/send/remote-write-client.ts";
import type { SendOutcome } from "../../src/send/send-outcome.ts";
import {
  startReceiverServer,
  type ReceivedRequest,
  type ScriptedAnswer,
} from "./receiver-server.ts";

export interface Exchange {
  readonly outcome: SendOutcome;
  readonly request: ReceivedRequest;
  readonly violations: readonly string[];
}

/** @throws Error unless there was exactly one request. */
export async function exchange(batch: EncodedBatch, answer: ScriptedAnswer): Promise<Exchange> {
  await using server = await startReceiverServer({ answers: [answer] });
  const options = { url: server.url, userAgent: "plimsoll/1.2.3", clock: systemClock };
  await using client = new RemoteWriteClient(options);
  const outcome = await client.send(batch, 0);
  const [request, ...more] = server.requests;
  if (request === undefined || more.length > 0) throw new Error("expected one request");
  return { outcome, request, violations: server.violations };
}

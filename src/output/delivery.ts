/**
 * From points to the receiver: for each queue an encoder, a spool and a sender.
 *
 *     PointSink ─► BatchEncoder ─► Spool ─► Sender ─┐
 *        │         BatchEncoder ─► Spool ─► Sender ─┼─► the client
 *        by series …                                ┘
 *
 * One request of a queue is under way at a time, so each series keeps its order. All accounts are sums over the
 * queues. Without `points` it delivers what lies in the spool, which is what `plimsoll replay` does.
 */
import type { PointSink } from "../aggregate/series-point.ts";
import type { Clock } from "../clock.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import { toRemoteWrite1 } from "../encode/transcode.ts";
import { add, noPoints, type PointCounts } from "../send/account.ts";
import type { RequestClient } from "../send/request-sender.ts";
import { isInTrouble, Sender, type SenderState, type SenderTotals } from "../send/sender.ts";
import type { RunSpool } from "../spool/run-spool.ts";
import type { DeliveryProgress } from "./output-progress.ts";
import { routeToQueues } from "./queue-router.ts";
import { RequestDurations } from "./request-durations.ts";

export interface DeliveryOptions {
  /** Closed with the delivery. */
  readonly spool: RunSpool;
  readonly client: RequestClient;
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Requests whose newest point is older are dropped instead of sent, in milliseconds. 0: none is. */
  readonly sampleAgeLimitMs: number;
  /** Something that the user did not ask for and should know; called once per matter. */
  readonly onNotice: (text: string) => void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #senders: readonly Sender[];
  readonly #recovered: PointCounts;
  readonly #refused = new Map<string, PointCounts>();
  readonly #requestDurations = new RequestDurations();
  readonly #told = new Set<string>();
  #encoded: PointCounts = noPoints;
  #newestEncodedMs = 0;
  #encodedBytes = 0;

  /** Sends nothing before `wake`, `drain` or a point. */
  constructor(options: DeliveryOptions) {
    const { spool, client, clock, random } = options;
    this.#options = options;
    this.#recovered = spool.pending;
    this.#senders = spool.queues.map(
      (queue) =>
        new Sender({
          spool: queue,
          client: this.#requestDurations.observing(client),
          clock,
          random,
          downgrade: toRemoteWrite1,
          sampleAgeLimitMs: options.sampleAgeLimitMs,
          recoveredBatches: queue.recovered.batches,
          onDowngrade: (text) =>
            this.#tell("downgrade", `sending remote write 1.0 from here on: ${text}`),
          onHeld: (reason, text) =>
            this.#tell(
              `held ${reason}`,
              `the receiver takes nothing (${reason}): ${text}. Samples wait in the spool, and sending is tried every ` +
                "30 s; it goes on by itself when this is put right",
            ),
          onRejected: (reason, text) =>
            this.#tell(reason, `the receiver refused points (${reason}): ${text}`),
        }),
    );
  }

  get progress(): DeliveryProgress {
    const { pending, recovered } = this.#options.spool;
    const sender = sumTotals(this.#senders.map(({ totals }) => totals));
    const rejected = new Map(this.#refused);
    for (const [reason, points] of sender.rejected) {
      rejected.set(reason, add(rejected.get(reason) ?? noPoints, points));
    }
    const pointsByType = {
      recovered: this.#recovered,
      encoded: this.#encoded,
      delivered: sender.delivered,
      pending,
      rejected,
    };
    return {
      points: {
        recovered: pointsOf(pointsByType.recovered),
        encoded: pointsOf(pointsByType.encoded),
        delivered: pointsOf(pointsByType.delivered),
        pending: pointsOf(pointsByType.pending),
        rejected: new Map([...rejected].map(([reason, points]) => [reason, pointsOf(points)])),
      },
      pointsByType,
      sender,
      state: worstOf(this.#senders.map(({ state }) => state)),
      spoolBytes: pending.bytes,
      corruptRecords: recovered.corruptRecords,
      encodedBytes: this.#encodedBytes,
      newestEncodedMs: this.#newestEncodedMs,
      requestDurations: this.#requestDurations,
    };
  }

  /** Whether a spool has not taken what was made of the points. */
  get hasRefused(): boolean {
    return this.#refused.size > 0;
  }

  /** Where points go in. Each request is sent as soon as those of its queue before it are. */
  points(protocol: RemoteWriteProtocol): PointSink {
    return routeToQueues(this.#senders.length, protocol, (queue, batch) =>
      this.#append(queue, batch),
    );
  }

  /** Begins to send what lies in the spool. */
  wake(): void {
    for (const sender of this.#senders) sender.wake();
  }

  /**
   * Sends until the spool is empty or the time is over.
   *
   * @returns Whether the spool is empty.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const drained = await Promise.all(this.#senders.map((sender) => sender.drain(timeoutMs)));
    return drained.every(Boolean);
  }

  /** Stops at once, and closes the spool. What is not acknowledged stays in it. */
  async close(): Promise<void> {
    await Promise.all(this.#senders.map((sender) => sender.stop()));
    await this.#options.spool.close();
  }

  #append(queue: number, batch: EncodedBatch): void {
    this.#encoded = add(this.#encoded, batch);
    this.#encodedBytes += batch.body.length;
    this.#newestEncodedMs = Math.max(this.#newestEncodedMs, batch.maxTimestampMs);
    const outcome = this.#options.spool.queues[queue]?.append(batch);
    if (outcome?.kind !== "refused") {
      this.#senders[queue]?.wake();
      return;
    }
    const { reason, text } = outcome;
    this.#refused.set(reason, add(this.#refused.get(reason) ?? noPoints, batch));
    this.#tell(reason, text);
  }

  /** Once per matter: every queue meets the same receiver. */
  #tell(matter: string, text: string): void {
    if (this.#told.has(matter)) return;
    this.#told.add(matter);
    this.#options.onNotice(text);
  }
}

function pointsOf({ samples, histograms }: PointCounts): number {
  return samples + histograms;
}

function sumTotals(all: readonly SenderTotals[]): SenderTotals {
  const rejected = new Map<string, PointCounts>();
  for (const [reason, points] of all.flatMap((totals) => [...totals.rejected])) {
    rejected.set(reason, add(rejected.get(reason) ?? noPoints, points));
  }
  const newest = all.flatMap(({ newestDeliveredTimestampMs }) => newestDeliveredTimestampMs ?? []);
  return {
    delivered: sumPoints(all.map(({ delivered }) => delivered)),
    rejected,
    retried: sumPoints(all.map(({ retried }) => retried)),
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
    bytesSent: all.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
    newestDeliveredTimestampMs: newest.length === 0 ? undefined : Math.max(...newest),
  };
}

function sumPoints(all: readonly PointCounts[]): PointCounts {
  return all.reduce(add, noPoints);
}

/** Of several queues, that of the one which has been waiting longest; a queue that sends tells more than an idle one. */
function worstOf(states: readonly SenderState[]): SenderState {
  let worst: SenderState = { kind: "idle" };
  for (const state of states) {
    if (state.kind === "idle") continue;
    if (state.kind === "sending") {
      if (worst.kind === "idle") worst = state;
    } else if (!isInTrouble(worst) || state.sinceMs < worst.sinceMs) {
      worst = state;
    }
  }
  return worst;
}

/**
 * Empties the spool into the receiver, one request at a time, oldest first.
 *
 * In:  a spool, a client. Out: batches acknowledged in the spool, and an account of what became of their
 * points: `samples` and `histograms` of a batch are delivered or rejected by reason, or still in the spool.
 * One request in flight keeps each series' timestamps in order. A batch that is worth another try is tried
 * until it has its answer; how long to go on is decided by `drain` and `stop`.
 */
import type { Clock } from "../clock.ts";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import type { Spool } from "../spool/spool.ts";
import type { SpooledBatch } from "../spool/spooled-batch.ts";
import { backoffMs } from "./backoff.ts";
import type { RemoteWriteClient } from "./remote-write-client.ts";
import type { RejectedOutcome, RetryOutcome, SendOutcome, SentOutcome } from "./send-outcome.ts";

export interface PointCounts {
  readonly samples: number;
  readonly histograms: number;
}

export type SenderState =
  /** The spool is empty, or nothing has been asked for. */
  | { readonly kind: "idle" }
  | { readonly kind: "sending" }
  /** The receiver does not take the oldest batch; the reason and the text are the last answer's. */
  | {
      readonly kind: "retrying";
      /** Unix time of the first failure of this batch. */
      readonly sinceMs: number;
      readonly reason: string;
      readonly text: string;
    };

/** What has happened since the sender was created. */
export interface SenderTotals {
  readonly delivered: PointCounts;
  /** Points that are lost, by reason: the outcome's, or `not_written` and `not_in_protocol_1`. */
  readonly rejected: ReadonlyMap<string, PointCounts>;
  /** Points in requests that had to be repeated, counted once per repetition. */
  readonly retried: PointCounts;
  readonly requests: number;
  /** Bodies only, each attempt counted. */
  readonly bytesSent: number;
  /** Of the batches that the receiver stored; `undefined` before the first one. */
  readonly newestDeliveredTimestampMs: number | undefined;
}

export interface SenderOptions {
  readonly spool: Pick<Spool, "peek" | "acknowledge">;
  readonly client: Pick<RemoteWriteClient, "send">;
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1, for the jitter of the backoff. */
  readonly random: () => number;
  /** The same points as remote write 1.0; `undefined` where nothing of them can be said in 1.0. */
  readonly downgrade: (batch: SpooledBatch) => EncodedBatch | undefined;
  /** Called once, when the receiver turns out not to know 2.0. All later batches are downgraded. */
  readonly onDowngrade?: (text: string) => void;
  /** Called once for each distinct reason, with the first text; the counts are in `totals`. */
  readonly onRejected?: (reason: string, text: string) => void;
}

const noPoints: PointCounts = { samples: 0, histograms: 0 };

export class Sender {
  readonly #options: SenderOptions;
  #state: SenderState = { kind: "idle" };
  #delivered = noPoints;
  readonly #rejected = new Map<string, PointCounts>();
  #retried = noPoints;
  #requests = 0;
  #bytesSent = 0;
  #newestDeliveredTimestampMs: number | undefined;
  /** The receiver does not know 2.0. */
  #downgraded = false;
  #isWorking = false;
  /** Gives up what `#work` is doing. */
  #controller = new AbortController();
  /** Resolves when the sender is idle; never rejects. */
  #work: Promise<void> = Promise.resolve();
  /** A bug that ended the work. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  get state(): SenderState {
    return this.#state;
  }

  get totals(): SenderTotals {
    return {
      delivered: this.#delivered,
      rejected: this.#rejected,
      retried: this.#retried,
      requests: this.#requests,
      bytesSent: this.#bytesSent,
      newestDeliveredTimestampMs: this.#newestDeliveredTimestampMs,
    };
  }

  /**
   * Something was appended: begins to send until the spool is empty, unless that is being done.
   *
   * @throws what ended the work before, where that was no answer and no failure of the network: a bug.
   */
  wake(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#controller = new AbortController();
    this.#work = this.#sendAll(this.#controller.signal);
  }

  /**
   * Sends until the spool is empty or the time is over. Then a request or a wait under way is given up,
   * and what is not acknowledged stays in the spool.
   *
   * @returns Whether the spool is empty.
   * @throws as `wake` does.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    this.wake();
    const work = this.#controller;
    const timer = new AbortController();
    const timeout = this.#options.clock.sleep(timeoutMs, timer.signal).then(
      () => work.abort(),
      () => {
        // The spool was empty before the time was over.
      },
    );
    await this.#work;
    timer.abort();
    await timeout;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#options.spool.peek() === undefined;
  }

  /** Gives up what is under way; its batch stays in the spool. A later `wake` begins again with it. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#work;
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    const { spool } = this.#options;
    try {
      for (let batch; !signal.aborted && (batch = spool.peek()) !== undefined;) {
        await this.#deliver(batch, signal);
        spool.acknowledge(batch.sequence);
      }
    } catch (error) {
      if (!signal.aborted) this.#failure = { error };
    } finally {
      // In one turn with the last look into the spool: a `wake` after it begins anew.
      this.#state = { kind: "idle" };
      this.#isWorking = false;
    }
  }

  /** Returns when the batch has its final answer, and is accounted for. */
  async #deliver(batch: SpooledBatch, signal: AbortSignal): Promise<void> {
    if (batch.protocol === "1" || !this.#downgraded) {
      const outcome = await this.#sendUntilAnswered(batch, signal);
      if (outcome.kind !== "unsupported") {
        this.#account(batch, outcome);
        return;
      }
      this.#downgraded = true;
      this.#options.onDowngrade?.(outcome.text);
    }
    const request = this.#options.downgrade(batch);
    const lost = subtract(batch, request ?? noPoints);
    if (!isNone(lost)) {
      this.#reject("not_in_protocol_1", "remote write 1.0 has no form for these points", lost);
    }
    if (request === undefined) return;
    this.#account(request, await this.#sendUntilAnswered(request, signal));
  }

  async #sendUntilAnswered(
    request: EncodedBatch,
    signal: AbortSignal,
  ): Promise<Exclude<SendOutcome, RetryOutcome>> {
    const { client, clock, random } = this.#options;
    this.#state = { kind: "sending" };
    let sinceMs: number | undefined;
    for (let attempt = 0; ; attempt++) {
      const outcome = await client.send(request, attempt, signal);
      this.#requests += 1;
      this.#bytesSent += request.body.byteLength;
      if (outcome.kind !== "retry") return outcome;
      const { reason, text, retryAfterMs } = outcome;
      sinceMs ??= clock.nowMs();
      this.#state = { kind: "retrying", sinceMs, reason, text };
      this.#retried = add(this.#retried, request);
      await clock.sleep(backoffMs(attempt + 1, retryAfterMs, random), signal);
    }
  }

  #account(request: EncodedBatch, outcome: Exclude<SendOutcome, RetryOutcome>): void {
    switch (outcome.kind) {
      case "sent": {
        const written = toPointCounts(outcome);
        this.#delivered = add(this.#delivered, written);
        this.#newestDeliveredTimestampMs = Math.max(
          this.#newestDeliveredTimestampMs ?? request.maxTimestampMs,
          request.maxTimestampMs,
        );
        const lost = subtract(request, written);
        if (!isNone(lost)) {
          this.#reject("not_written", "the receiver stored fewer points than were sent", lost);
        }
        return;
      }
      case "rejected": {
        const written = toPointCounts(outcome);
        this.#delivered = add(this.#delivered, written);
        this.#reject(outcome.reason, outcome.text, subtract(request, written));
        return;
      }
      case "unsupported":
        // Nothing is left to fall back to.
        this.#reject("unsupported", outcome.text, request);
    }
  }

  #reject(reason: string, text: string, lost: PointCounts): void {
    const before = this.#rejected.get(reason);
    this.#rejected.set(reason, add(before ?? noPoints, lost));
    if (before === undefined) this.#options.onRejected?.(reason, text);
  }
}

function add(a: PointCounts, b: PointCounts): PointCounts {
  return { samples: a.samples + b.samples, histograms: a.histograms + b.histograms };
}

function subtract(a: PointCounts, b: PointCounts): PointCounts {
  return { samples: a.samples - b.samples, histograms: a.histograms - b.histograms };
}

function isNone({ samples, histograms }: PointCounts): boolean {
  return samples === 0 && histograms === 0;
}

function toPointCounts(outcome: SentOutcome | RejectedOutcome): PointCounts {
  return { samples: outcome.samplesWritten, histograms: outcome.histogramsWritten };
}

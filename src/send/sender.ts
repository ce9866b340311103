/**
 * Empties the spool into the receiver, one request at a time, oldest first.
 *
 * In:  a spool, a client. Out: batches acknowledged in the spool, and an account of what became of their
 * points: `samples` and `histograms` of a batch are delivered or rejected by reason, or still in the spool.
 * One request in flight keeps each series' timestamps in order. A batch that is worth another try is tried
 * until it has its answer (request-sender.ts); one that is too large, or that remote write 1.0 refuses as a whole
 * for some of its points, goes in parts, in order. How long to go on is decided by `drain` and `stop`.
 */
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import { describeSeries, splitBatch } from "../encode/split-batch.ts";
import type { Spool } from "../spool/spool.ts";
import type { SpooledBatch } from "../spool/spooled-batch.ts";
import { Account, isNone, noPoints, type PointCounts, subtract } from "./account.ts";
import { RequestSender, type RequestSenderOptions, type RequestState } from "./request-sender.ts";
import type { RejectedOutcome } from "./send-outcome.ts";

/** `idle`: the spool is empty, or nothing has been asked for. */
export type SenderState = { readonly kind: "idle" } | RequestState;

/** Whether the receiver does not take what is sent. */
export function isInTrouble(
  state: SenderState,
): state is Extract<SenderState, { readonly kind: "retrying" | "held" }> {
  return state.kind === "retrying" || state.kind === "held";
}

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

export interface SenderOptions extends RequestSenderOptions {
  readonly spool: Pick<Spool, "peek" | "acknowledge">;
  /** The same points as remote write 1.0; `undefined` where nothing of them can be said in 1.0. */
  readonly downgrade: (batch: SpooledBatch) => EncodedBatch | undefined;
  /** How many batches an earlier process left at the head of the spool. Default 0. */
  readonly recoveredBatches?: number;
  /** Called once, when the receiver turns out not to know 2.0. All later batches are downgraded. */
  readonly onDowngrade?: (text: string) => void;
  /** Called once for each distinct reason, with the first text; the counts are in `totals`. */
  readonly onRejected?: (reason: string, text: string) => void;
}

/**
 * Requests that finding the bad series of one batch may cost: one series among 2 000 takes 22. A batch of which
 * nothing could be saved halves it for the next, down to the least: where every series is refused, looking for the
 * good ones is a load on the receiver and no more.
 */
const searchRequests = 64;
const leastSearchRequests = 2;

/**
 * What remote write 1.0 is answered where some of its points are bad. Prometheus has then stored none (400); Mimir
 * (400) and Thanos (409) have stored the others without saying which, and take them a second time.
 */
const partlyBadReasons: ReadonlySet<string> = new Set(["http_400", "http_409"]);

export class Sender {
  readonly #options: SenderOptions;
  readonly #requests: RequestSender;
  readonly #account = new Account();
  /** The receiver does not know 2.0. */
  #downgraded = false;
  /** The size of body that was small enough after a larger one was not. */
  #bodyLimitBytes = Infinity;
  #searchRequests = searchRequests;
  /** Batches that an earlier process may have delivered: before the first that is known to be new. */
  #doubtfulBatches: number;
  #isWorking = false;
  /** Gives up what `#work` is doing. */
  #controller = new AbortController();
  /** Resolves when the sender is idle; never rejects. */
  #work: Promise<void> = Promise.resolve();
  /** A bug that ended the work. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#requests = new RequestSender(options);
    this.#doubtfulBatches = options.recoveredBatches ?? 0;
  }

  get state(): SenderState {
    return this.#isWorking ? this.#requests.state : { kind: "idle" };
  }

  get totals(): SenderTotals {
    const { delivered, losses, newestDeliveredTimestampMs } = this.#account;
    const { requests, bytesSent, retried } = this.#requests;
    const rejected = new Map([...losses].map(([reason, { points }]) => [reason, points]));
    return { delivered, rejected, retried, requests, bytesSent, newestDeliveredTimestampMs };
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
   * Sends until the spool is empty or the time is over; what is held is tried at once, and more often. Then a
   * request or a wait under way is given up, and what is not acknowledged stays in the spool.
   *
   * @returns Whether the spool is empty.
   * @throws as `wake` does.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#requests.isHasty = true;
    this.wake();
    this.#requests.tryNow();
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
    this.#requests.isHasty = false;
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
        const account = await this.#deliver(batch, signal);
        spool.acknowledge(batch.sequence);
        this.#settle(account);
      }
    } catch (error) {
      if (!signal.aborted) this.#failure = { error };
    } finally {
      // In one turn with the last look into the spool: a `wake` after it begins anew.
      this.#isWorking = false;
    }
  }

  /** Returns when every point of the batch has its final answer. Given up in between, the whole batch is sent again. */
  async #deliver(batch: SpooledBatch, signal: AbortSignal): Promise<Account> {
    const account = new Account();
    let searchesLeft = this.#searchRequests;
    let isSearching = false;
    // The parts that are still to be sent, in order. A part in two takes its own place.
    const parts = [batch];
    for (let part; (part = parts.shift()) !== undefined;) {
      if (part.protocol === "2" && this.#downgraded) {
        parts.unshift(...this.#toProtocol1(part, account));
        continue;
      }
      if (part.body.byteLength > this.#bodyLimitBytes) {
        const halves = splitBatch(part);
        if (halves) {
          parts.unshift(...halves);
          continue;
        }
      }
      const outcome = await this.#requests.send(part, signal);
      switch (outcome.kind) {
        case "sent":
          account.answered(part, outcome);
          break;
        case "unsupported":
          this.#downgraded = true;
          this.#options.onDowngrade?.(outcome.text);
          parts.unshift(part);
          break;
        case "too_large": {
          const halves = splitBatch(part);
          if (halves) {
            // A rate limit is about the moment: with small requests, every overload would make many of them.
            if (outcome.reason !== "http_429")
              this.#bodyLimitBytes = Math.max(...halves.map(({ body }) => body.byteLength));
            parts.unshift(...halves);
          } else {
            account.lose(outcome.reason, () => toLossText(part, outcome.text), part);
          }
          break;
        }
        case "rejected": {
          // 2.0 has stored what is good, and said how much.
          const maySearch = part.protocol === "1" && partlyBadReasons.has(outcome.reason);
          const halves = maySearch && searchesLeft >= 2 ? splitBatch(part) : undefined;
          if (halves) {
            isSearching = true;
            searchesLeft -= 2;
            parts.unshift(...halves);
          } else {
            account.answered(part, this.#inDoubt(outcome), ({ text }) => toLossText(part, text));
          }
        }
      }
    }
    if (isSearching) {
      this.#searchRequests = isNone(account.delivered)
        ? Math.max(leastSearchRequests, this.#searchRequests >> 1)
        : searchRequests;
    }
    return account;
  }

  /** None where nothing of the points can be said in 1.0. */
  #toProtocol1(part: SpooledBatch, account: Account): SpooledBatch[] {
    const request = this.#options.downgrade(part);
    const lost = subtract(part, request ?? noPoints);
    if (!isNone(lost)) {
      const text = "remote write 1.0 has no form for these points";
      account.lose("not_in_protocol_1", () => text, lost);
    }
    return request === undefined ? [] : [{ ...request, sequence: part.sequence }];
  }

  /**
   * A 400 or 409 to what an earlier process left may mean that it had been delivered: a store takes a repeated point only if
   * it is its series' newest. It counts as lost, because nobody knows, and under a reason of its own.
   */
  #inDoubt(outcome: RejectedOutcome): RejectedOutcome {
    if (this.#doubtfulBatches === 0 || !partlyBadReasons.has(outcome.reason)) return outcome;
    return {
      ...outcome,
      reason: `${outcome.reason}_after_restart`,
      text: `${outcome.text} (to requests of an earlier process, which probably had delivered them)`,
    };
  }

  #settle(account: Account): void {
    const before = new Set(this.#account.losses.keys());
    this.#account.merge(account);
    for (const [reason, { text }] of account.losses) {
      if (!before.has(reason)) this.#options.onRejected?.(reason, text);
    }
    // One request is in flight at a time: what follows a batch that was taken had not been sent.
    const isTaken = account.losses.size === 0;
    this.#doubtfulBatches = isTaken ? 0 : Math.max(0, this.#doubtfulBatches - 1);
  }
}

/** Of a single series its name, which a store seldom tells. */
function toLossText(part: EncodedBatch, text: string): string {
  return part.samples + part.histograms === 1
    ? `${text}; the series is ${describeSeries(part)}`
    : text;
}

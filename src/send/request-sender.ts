/**
 * Sends one request until it has a final answer, however long that takes.
 *
 * In:  a request, a client. Out: the answer that ends it. In between it waits: a little and longer and longer while
 * the receiver is away or overloaded; half a minute at a time ("held") where only a person can help, because data
 * that waits in the spool is worth more than a rule to give up. What a final answer means for the points is left to
 * `Sender`. docs/delivery.md has the table.
 */
import type { Clock } from "../clock.ts";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import { add, noPoints, type PointCounts } from "./account.ts";
import { adviceFor } from "./advice.ts";
import { backoffMs, withJitter } from "./backoff.ts";
import type { RemoteWriteClient } from "./remote-write-client.ts";
import { untilAborted } from "./until-aborted.ts";
import type { HeldOutcome, RetryOutcome, SendOutcome } from "./send-outcome.ts";

export interface RequestClient extends Pick<RemoteWriteClient, "send"> {
  /**
   * Reads or asks for the credentials anew, after a 401 or 403.
   *
   * @returns Whether there are others now: then the request is sent again at once.
   */
  refreshCredentials?(): Promise<boolean>;
}

export interface RequestSenderOptions {
  readonly client: RequestClient;
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1, for the jitter of the waits. */
  readonly random: () => number;
  /** A request whose newest point is older is not sent (again). 0, the default: no limit. */
  readonly sampleAgeLimitMs?: number;
  /** Called once for each distinct reason, when sending is held: what happened, and what to do. */
  readonly onHeld?: (reason: string, text: string) => void;
}

/** Never `idle`: whether there is anything to send is for the caller to know. */
export type RequestState =
  | { readonly kind: "sending" }
  | {
      /**
       * `retrying`: the receiver is away or overloaded. `held`: it answers, and refuses every request until
       * somebody puts the URL, the credentials or the certificate right.
       */
      readonly kind: "retrying" | "held";
      /** Unix time of the first failure of this request. */
      readonly sinceMs: number;
      /** Of the last answer. */
      readonly reason: string;
      readonly text: string;
    };

export type FinalOutcome = Exclude<SendOutcome, RetryOutcome | HeldOutcome>;

/** People mend a password in minutes; a request each half minute wakes nobody's alert on error rates. */
const holdMs = 30_000;
/** At the end of a run somebody waits. */
const hastyHoldMs = 5_000;
/** So many tries, about 3 s, before a failure that seldom passes by itself is a matter for a person. */
const lastingTries = 5;
/** Names, certificates, protocols, credentials: with a resolver that hiccups or a rollout they pass after all. */
export const lastingReasons: ReadonlySet<string> = new Set([
  "credentials_refused",
  "http_501",
  "http_505",
  "dns",
  "not_http",
  "tls",
]);
/** So many 429 in a row to one request, and it may be above a burst limit: then it never passes. */
const throttledTries = 3;
/** Requests of so few points are below any burst limit that lets a receiver be used at all. */
const throttledFloorPoints = 250;

export class RequestSender {
  readonly #options: RequestSenderOptions;
  readonly #heldReasons = new Set<string>();
  #state: RequestState = { kind: "sending" };
  #requests = 0;
  #bytesSent = 0;
  #retried = noPoints;
  /** Ends the wait of a held request. */
  #hold: AbortController | undefined;
  /** Somebody waits for the end. */
  isHasty = false;

  constructor(options: RequestSenderOptions) {
    this.#options = options;
  }

  get state(): RequestState {
    return this.#state;
  }

  /** Each attempt counted. */
  get requests(): number {
    return this.#requests;
  }

  /** Bodies only, each attempt counted. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  get retried(): PointCounts {
    return this.#retried;
  }

  /** A request that is held is tried again at once. */
  tryNow(): void {
    this.#hold?.abort();
  }

  /** Rejects with the signal's reason; whether the request was stored is not known then. */
  async send(request: EncodedBatch, signal: AbortSignal): Promise<FinalOutcome> {
    const { client, clock, random } = this.#options;
    this.#state = { kind: "sending" };
    let sinceMs: number | undefined;
    let throttled = 0;
    let lasting = 0;
    let isRefreshed = false;
    for (let attempt = 0; ; attempt++) {
      if (this.#isTooOld(request)) return tooOld;
      const outcome = await client.send(request, attempt, signal);
      this.#requests += 1;
      this.#bytesSent += request.body.byteLength;
      if (outcome.kind !== "retry" && outcome.kind !== "held") return outcome;

      const { reason } = outcome;
      sinceMs ??= clock.nowMs();
      this.#retried = add(this.#retried, request);
      throttled = reason === "http_429" ? throttled + 1 : 0;
      lasting = lastingReasons.has(reason) ? lasting + 1 : 0;
      if (outcome.kind === "held" || lasting > lastingTries) {
        // Once for each refusal: credentials that are new and refused, too, are for a person to look at.
        isRefreshed = isAboutCredentials(reason) && !isRefreshed && (await this.#refresh(signal));
        if (isRefreshed) continue;
        this.#setState("held", sinceMs, outcome);
        await this.#waitHeld(outcome, signal);
        continue;
      }
      this.#setState("retrying", sinceMs, outcome);
      const isThrottled = throttled > 0;
      const waitMs = backoffMs(attempt + 1, outcome.retryAfterMs, random, isThrottled);
      await clock.sleep(waitMs, signal);
      if (
        throttled >= throttledTries &&
        request.samples + request.histograms > throttledFloorPoints
      )
        return { kind: "too_large", reason, text: outcome.text };
    }
  }

  #isTooOld({ maxTimestampMs }: EncodedBatch): boolean {
    const { clock, sampleAgeLimitMs = 0 } = this.#options;
    return sampleAgeLimitMs > 0 && clock.nowMs() - maxTimestampMs > sampleAgeLimitMs;
  }

  async #refresh(signal: AbortSignal): Promise<boolean> {
    const refreshing = this.#options.client.refreshCredentials?.();
    return refreshing !== undefined && (await untilAborted(refreshing, signal));
  }

  #setState(
    kind: "retrying" | "held",
    sinceMs: number,
    { reason, text }: RetryOutcome | HeldOutcome,
  ): void {
    this.#state = { kind, sinceMs, reason, text };
  }

  async #waitHeld(
    { reason, text }: RetryOutcome | HeldOutcome,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, onHeld } = this.#options;
    if (!this.#heldReasons.has(reason)) {
      this.#heldReasons.add(reason);
      const advice = adviceFor(reason);
      onHeld?.(reason, advice === "" ? text : `${text}; ${advice}`);
    }
    const hold = new AbortController();
    this.#hold = hold;
    const abort = () => hold.abort();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await clock.sleep(withJitter(this.isHasty ? hastyHoldMs : holdMs, random), hold.signal);
    } catch (error) {
      signal.throwIfAborted();
      // `tryNow`, or a bug.
      if (!hold.signal.aborted) throw error;
    } finally {
      this.#hold = undefined;
      signal.removeEventListener("abort", abort);
    }
  }
}

const tooOld: FinalOutcome = {
  kind: "rejected",
  reason: "too_old",
  text: "older than --remote-write-sample-age-limit before the receiver took them",
  samplesWritten: 0,
  histogramsWritten: 0,
};

function isAboutCredentials(reason: string): boolean {
  return reason === "http_401" || reason === "http_403";
}

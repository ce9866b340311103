/**
 * Sends what lies in one spool, long after its run: `plimsoll replay`.
 *
 * In:  a spool, a client made of today's options. Out: the requests as they were written, oldest first, and an
 * account of their points. Nothing new is mixed in. An answer that speaks of us and not of the points (a wrong
 * password, a wrong path) ends it: a run holds such points until that is put right, here nobody waits for it.
 */
import type { Clock } from "../clock.ts";
import { formatDuration } from "../config/duration.ts";
import { ReceiverError } from "../errors.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";
import type { SendOutcome } from "../send/send-outcome.ts";
import { isInTrouble } from "../send/sender.ts";
import type { RunSpool } from "../spool/run-spool.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import type { DeliveryProgress } from "./output-progress.ts";

/** How often it is looked whether all is sent. */
const pollMs = 50;

export interface ReplayOptions extends Omit<DeliveryOptions, "client"> {
  readonly client: Pick<RemoteWriteClient, "send" | "refreshCredentials" | "displayUrl">;
  /** Gives up when the receiver has taken nothing for so long. */
  readonly patienceMs: number;
}

export class Replay implements AsyncDisposable {
  readonly #spool: RunSpool;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #onNotice: (text: string) => void;
  readonly #delivery: Delivery;

  constructor(options: ReplayOptions) {
    const { spool, client, clock, patienceMs, onNotice } = options;
    this.#spool = spool;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    this.#onNotice = onNotice;
    this.#delivery = new Delivery({ ...options, client: refusedOnlyForPoints(client) });
  }

  get progress(): DeliveryProgress {
    return this.#delivery.progress;
  }

  /**
   * Returns when all is sent, when the receiver has taken nothing for too long, or at the signal. What is left
   * stays in the spool.
   *
   * @throws ReceiverError where the receiver refuses us.
   */
  async send(signal: AbortSignal): Promise<void> {
    let batches = Infinity;
    let sinceMs = this.#clock.nowMs();
    for (;;) {
      this.#delivery.wake();
      const { pending } = this.#spool;
      if (pending.batches === 0) return;
      const nowMs = this.#clock.nowMs();
      if (pending.batches < batches) sinceMs = nowMs;
      else if (nowMs - sinceMs > this.#patienceMs) {
        const { state } = this.progress;
        const why = isInTrouble(state) ? `: ${state.text}` : "";
        this.#onNotice(
          `the receiver has taken nothing for ${formatDuration(this.#patienceMs)} (--drain-timeout)${why}`,
        );
        return;
      }
      batches = pending.batches;
      try {
        await this.#clock.sleep(pollMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }

  /** Gives the spool up: removed if all is sent, else as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delivery.close();
  }
}

/**
 * Throws what speaks of us. Refused credentials are renewed first, since a token may have ended during the replay;
 * the sender, which would do so, never sees the refusal.
 */
function refusedOnlyForPoints(client: ReplayOptions["client"]): Pick<RemoteWriteClient, "send"> {
  let renewals = 0;
  let underWay: Promise<boolean> | undefined;
  const renew = (): Promise<boolean> => {
    underWay ??= client
      .refreshCredentials()
      .then((isNew) => {
        if (isNew) renewals += 1;
        return isNew;
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };
  return {
    async send(...args): Promise<SendOutcome> {
      const renewalsBefore = renewals;
      let outcome = await client.send(...args);
      // Another queue, refused at the same time, may have renewed them already.
      if (isUnauthorized(outcome) && (renewals > renewalsBefore || (await renew()))) {
        outcome = await client.send(...args);
      }
      if (outcome.kind === "held") {
        throw new ReceiverError(
          `${client.displayUrl} refuses this: ${outcome.text}; what is not sent stays in the spool`,
        );
      }
      return outcome;
    },
  };
}

function isUnauthorized(outcome: SendOutcome): boolean {
  return (
    outcome.kind === "held" && (outcome.reason === "http_401" || outcome.reason === "http_403")
  );
}

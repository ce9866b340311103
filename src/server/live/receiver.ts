/**
 * One of the stores that a server sends to: asked what it takes when the server starts, and again until it answers.
 *
 * No run waits for it. What arrives before the first answer lies in the runs' journals, and is sent as the store takes it
 * best: to guess instead would cost the exact quantiles of native histograms for as long as those runs last.
 */
import type { Clock } from "../../clock.ts";
import type { RemoteWriteOptions } from "../../config/options.ts";
import { messageOf, ReceiverError } from "../../errors.ts";
import { askReceiver } from "../../output/ask-receiver.ts";
import { createClient } from "../../output/create-client.ts";
import { type Agreement, agree, unasked } from "../../output/negotiate.ts";
import type { RemoteWriteClient } from "../../send/remote-write-client.ts";

export interface ReceiverContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly userAgent: string;
  /** Names the points that ask; of this server and this start alone. */
  readonly probeId: string;
  readonly onNotice: (text: string) => void;
}

/** A question takes up to 5 s where nobody answers. */
const askAgainMs = 2_000;

export class Receiver implements AsyncDisposable {
  readonly options: RemoteWriteOptions;
  /** No credentials, no query string. */
  readonly displayUrl: string;
  readonly #client: RemoteWriteClient;
  readonly #context: ReceiverContext;
  readonly #stopped = new AbortController();
  #agreement: Agreement | undefined;
  readonly #asking: Promise<void>;

  /** @throws InputError, ConfigError for options that cannot be used */
  static async open(options: RemoteWriteOptions, context: ReceiverContext): Promise<Receiver> {
    return new Receiver(options, await createClient(options, context), context);
  }

  private constructor(
    options: RemoteWriteOptions,
    client: RemoteWriteClient,
    context: ReceiverContext,
  ) {
    this.options = options;
    this.displayUrl = client.displayUrl;
    this.#client = client;
    this.#context = context;
    this.#asking = this.#ask();
  }

  /** Undefined while the store has not answered. */
  get agreement(): Agreement | undefined {
    return this.#agreement;
  }

  /** What every store understands, for when there is no waiting any longer. */
  get fallback(): Agreement {
    return unasked(this.options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#asking;
    await this.#client.close();
  }

  /** Never rejects: nobody waits for it while the server runs. */
  async #ask(): Promise<void> {
    const { clock, onNotice } = this.#context;
    const { signal } = this.#stopped;
    let told = "";
    while (!signal.aborted) {
      const answer = await this.#askOnce();
      if (signal.aborted) return;
      if (typeof answer !== "string") {
        this.#agreement = answer;
        for (const notice of answer.notices) onNotice(notice);
        return;
      }
      if (answer !== told) onNotice(`${answer}; samples wait in the runs' journals until it does`);
      told = answer;
      // It rejects when this is stopped.
      await clock.sleep(askAgainMs, signal).catch(() => undefined);
    }
  }

  /** Why it cannot be used, as text. */
  async #askOnce(): Promise<Agreement | string> {
    const { clock, random, probeId } = this.#context;
    if (!this.options.preflight) return this.fallback;
    const tags = new Map([["testid", probeId]]);
    const context = { clock, random, tags, probeMs: clock.nowMs() };
    try {
      const result = await askReceiver(this.options, this.#client, context);
      return result.kind === "refused" ? result.text : agree(this.options, result, this.displayUrl);
    } catch (error) {
      if (error instanceof ReceiverError) return error.message;
      // What no network does, e.g. a certificate's file that has become unreadable: perhaps it is put right.
      return `remote write to ${JSON.stringify(this.displayUrl)} does not work: ${messageOf(error)}`;
    }
  }
}

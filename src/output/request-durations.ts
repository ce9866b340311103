/**
 * How long requests to the receiver take, by what they came to: an observer around the client's `send`.
 */
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import type { RequestClient } from "../send/request-sender.ts";
import type { SendOutcome } from "../send/send-outcome.ts";

/** In seconds, up to the usual time-out. After Prometheus' `sent_batch_duration_seconds`. */
export const durationBounds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export interface DurationsOf {
  readonly protocol: RemoteWriteProtocol;
  /** `2xx` to `5xx`; `unsupported` for a receiver that does not speak the protocol, `none` without an answer. */
  readonly status: string;
  /** Requests per bucket, not cumulated; the last one is that of everything above the highest bound. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

interface Durations extends DurationsOf {
  readonly counts: number[];
  sumSeconds: number;
}

export class RequestDurations {
  readonly #all = new Map<string, Durations>();

  get all(): Iterable<DurationsOf> {
    return this.#all.values();
  }

  /** The same client, with each of its requests observed; one that was given up is none. */
  observing(client: RequestClient): RequestClient {
    return {
      refreshCredentials: async () => (await client.refreshCredentials?.()) ?? false,
      send: async (batch, attempt, signal) => {
        const startMs = performance.now();
        const outcome = await client.send(batch, attempt, signal);
        this.#observe(batch, statusOf(outcome), (performance.now() - startMs) / 1_000);
        return outcome;
      },
    };
  }

  #observe({ protocol }: EncodedBatch, status: string, seconds: number): void {
    const key = `${protocol} ${status}`;
    let durations = this.#all.get(key);
    if (!durations) {
      const counts = [0, ...durationBounds.map(() => 0)];
      durations = { protocol, status, counts, sumSeconds: 0 };
      this.#all.set(key, durations);
    }
    const bucket = durationBounds.findIndex((bound) => seconds <= bound);
    const index = bucket < 0 ? durationBounds.length : bucket;
    durations.counts[index] = (durations.counts[index] ?? 0) + 1;
    durations.sumSeconds += seconds;
  }
}

function statusOf(outcome: SendOutcome): string {
  if (outcome.kind === "sent") return "2xx";
  if (outcome.kind === "unsupported") return "unsupported";
  // A web page in place of an answer comes with any success.
  if (outcome.reason === "html_answer") return "2xx";
  const [, digit] = /^http_(\d)\d\d$/.exec(outcome.reason) ?? [];
  return digit === undefined ? "none" : `${digit}xx`;
}

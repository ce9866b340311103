/**
 * How often an address may come with a token that is none.
 *
 * Beyond the limit it is refused until the window is over. Tokens that are right go on, so that one wrong token behind a
 * proxy does not end the runs of all who share it: nobody guesses one of 256 bits.
 */
import { normalizeIP } from "@fastify/rate-limit";
import type { Clock } from "../clock.ts";

const windowMs = 60_000;
/** A person mistypes a few times; a k6 with a wrong token asks at most four times, and ends. */
const limit = 20;
/** More than there are in a company; older ones are forgotten. */
const rememberedAddresses = 10_000;

export class FailureLimit {
  readonly #clock: Clock;
  readonly #failures = new Map<string, { count: number; readonly sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds until the address may try again; 0: now. */
  waitSeconds(address: string): number {
    const failures = this.#current(normalizeIP(address));
    if (!failures || failures.count < limit) return 0;
    return Math.ceil((failures.sinceMs + windowMs - this.#clock.nowMs()) / 1_000);
  }

  add(address: string): void {
    const key = normalizeIP(address);
    const failures = this.#current(key) ?? { count: 0, sinceMs: this.#clock.nowMs() };
    failures.count += 1;
    this.#failures.set(key, failures);
    if (this.#failures.size > rememberedAddresses) {
      const [oldest = ""] = this.#failures.keys();
      this.#failures.delete(oldest);
    }
  }

  #current(key: string): { count: number; readonly sinceMs: number } | undefined {
    const failures = this.#failures.get(key);
    if (!failures || this.#clock.nowMs() - failures.sinceMs < windowMs) return failures;
    this.#failures.delete(key);
    return undefined;
  }
}

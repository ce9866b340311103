/**
 * Wrong tokens of an address: a person mistypes a few times; a k6 with a wrong token asks at most four times, and ends.
 *
 * Beyond the limit the address is refused. Tokens that are right go on, so that one wrong token behind a proxy does not end
 * the runs of all who share it: nobody guesses one of 256 bits.
 */
import { normalizeIP } from "@fastify/rate-limit";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { HttpError } from "./http-error.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { WindowLimit } from "./window-limit.ts";

const limit = { count: 20, windowMs: 60_000 };

export class WrongTokens {
  readonly #limit: WindowLimit;
  readonly #metrics: ServerMetrics;

  constructor(clock: Clock, metrics: ServerMetrics) {
    this.#limit = new WindowLimit(clock, limit);
    this.#metrics = metrics;
  }

  add(request: FastifyRequest): void {
    this.#limit.add(normalizeIP(request.ip));
    request.log.warn({ req: request }, "wrong token");
  }

  areTooMany(request: FastifyRequest): boolean {
    return this.#limit.waitSeconds(normalizeIP(request.ip)) > 0;
  }

  /** @throws HttpError where the address has had too many */
  refuse(request: FastifyRequest, reply: FastifyReply): void {
    const waitSeconds = this.#limit.waitSeconds(normalizeIP(request.ip));
    if (waitSeconds === 0) return;
    this.#metrics.refused("authentication");
    void reply.header("Retry-After", String(waitSeconds));
    throw new HttpError(
      429,
      "too_many_failures",
      `too many wrong tokens from this address; again in ${waitSeconds} s`,
    );
  }
}

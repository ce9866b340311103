/**
 * Limits that hold for every route: requests per address, wrong tokens per address, requests at a time.
 *
 * A generator that is refused comes again only for a 5xx: 429 makes k6 drop what it wanted to push (`provisioning`
 * client) or give up after a second. So what is pushed is answered 503.
 */
import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { credentialOf } from "./authenticate.ts";
import { HttpError } from "./http-error.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import type { TokenAuthenticator } from "./tokens.ts";
import type { WrongTokens } from "./wrong-tokens.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The answer stays open for as long as somebody looks: no request under way any more, and no measure of how quick we are. */
    becomeStream: () => void;
    isStream: boolean;
  }
}

export interface RequestLimits {
  /**
   * Per minute and address. A hundred generators behind one address push two or three times a second each; a thousand a
   * second is more than one core answers.
   */
  readonly perMinute: number;
  /** At a time, over all addresses: each may hold a body of 16 MiB. */
  readonly atOnce: number;
}

export const defaultRequestLimits: RequestLimits = { perMinute: 60_000, atOnce: 256 };

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who brings no token is answered, or the route sees to wrong ones by itself. */
    readonly isOpen?: boolean;
  }
}

export async function addLimits(
  app: FastifyInstance,
  {
    limits,
    authenticator,
    wrongTokens,
    metrics,
  }: {
    readonly limits: RequestLimits;
    readonly authenticator: TokenAuthenticator;
    readonly wrongTokens: WrongTokens;
    readonly metrics: ServerMetrics;
  },
): Promise<void> {
  // Its own hooks come after those of a route, which ask the database who it is.
  await app.register(rateLimit, { global: false });
  const takeFromLimit = app.createRateLimit({ max: limits.perMinute, timeWindow: 60_000 });
  app.addHook("onRequest", async (request, reply) => {
    const taken = await takeFromLimit(request);
    if (taken.isAllowed || !taken.isExceeded) return;
    metrics.refused("rate");
    void reply.header("Retry-After", String(taken.ttlInSeconds));
    throw new HttpError(
      isPush(request) ? 503 : 429,
      "too_many_requests",
      `more than ${limits.perMinute} requests a minute from this address; ` +
        `again in ${taken.ttlInSeconds} s`,
    );
  });

  app.addHook("onRequest", async (request, reply) => {
    if (takesNoToken(request) || !wrongTokens.areTooMany(request)) return;
    const token = credentialOf(request);
    if (token !== undefined && (await authenticator.authenticate(token))) return;
    wrongTokens.refuse(request, reply);
  });
  app.addHook("onResponse", async (request, reply) => {
    if (reply.statusCode === 401) wrongTokens.add(request);
  });

  let underWay = 0;
  app.decorateRequest("isStream", false);
  app.addHook("onRequest", async (request, reply) => {
    underWay += 1;
    let isCounted = true;
    const leave = (): void => {
      if (isCounted) underWay -= 1;
      isCounted = false;
    };
    // Also of an answer that nobody waits for any more.
    reply.raw.once("close", leave);
    request.becomeStream = () => {
      request.isStream = true;
      leave();
    };
    if (underWay <= limits.atOnce) return;
    metrics.refused("concurrency");
    void reply.header("Retry-After", "1");
    throw new HttpError(503, "overloaded", `more than ${limits.atOnce} requests at a time`);
  });
}

function isPush({ url }: FastifyRequest): boolean {
  return /^\/(?:agents\/[^/]+\/)?(?:v2\/metrics|ingest|peer\/v1)\//.test(url);
}

/** Other servers and uploads bring a proof instead (`runs/run-proof.ts`), which is as hard to guess. */
function takesNoToken({ url, routeOptions }: FastifyRequest): boolean {
  if (routeOptions.config.isOpen === true) return true;
  return /^\/(?:-|peer\/v1|(?:agents\/[^/]+\/)?upload)\//.test(url);
}

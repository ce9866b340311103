/**
 * Says that the same request may be answered a little later: by this server, or by the one that has the run.
 */

/** k6 tries again after a 5xx; `statusCode` is what Fastify answers. */
export class ServiceUnavailable extends Error {
  override readonly name = "ServiceUnavailable";
  readonly statusCode = 503;
}

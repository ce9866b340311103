/**
 * Takes k6's samples: `/v2/metrics/ID` of its older API, `/ingest/ID/metrics` of the newer one.
 *
 * In:  a snappy block around a `MetricSet`, as `cloud/metric-set.ts` reads it; the body often comes in chunks.
 * Out: 2xx when the service has it safe. What is too large, or cannot be such a block, is refused before it is inflated.
 *
 * Only the older API has a way to tell k6 that it is to stop: status 403 with code 4.
 *
 * Source: k6 `output/cloud/expv2/metrics_client.go`, `output.go` (`handleFlushError`),
 * `internal/cloudapi/provisioning/http_client.go` (v2.2.0).
 */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { inflatedLength, maxInflatedBytes } from "../metric-set-limits.ts";
import type { PushExcess } from "../../runs/run-service.ts";
import { pushersOnly } from "./authorize.ts";
import { type CloudApiOptions, instanceOf, limits } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { idempotencyKeyOf, idOf } from "./read-request.ts";

/** `/v2` */
export function legacyMetricsRoutes(options: CloudApiOptions): FastifyPluginAsync {
  return async (app) => {
    addPushRoute(
      app,
      "/metrics/:id",
      options,
      (id) => new ApiError(403, `test run ${id} was stopped`, { isStop: true }),
    );
  };
}

/** `/ingest` */
export function scopedMetricsRoutes(options: CloudApiOptions): FastifyPluginAsync {
  return async (app) => {
    // Of a 403, k6 would print that the token has no permission.
    addPushRoute(
      app,
      "/:id/metrics",
      options,
      (id) => new ApiError(409, `test run ${id} was stopped`),
    );
  };
}

function addPushRoute(
  app: FastifyInstance,
  url: string,
  { service, authenticator, onRefused }: CloudApiOptions,
  toStop: (runId: number) => ApiError,
): void {
  app.removeAllContentTypeParsers();
  // Not Fastify but we look at Content-Encoding: to it, a body is bytes.
  app.addContentTypeParser(
    "application/x-protobuf",
    { parseAs: "buffer", bodyLimit: limits.metrics },
    (_request, body, done) => done(null, body),
  );

  const push = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const runId = idOf(request);
    if (request.headers["content-encoding"] !== "snappy" || !Buffer.isBuffer(request.body)) {
      throw new ApiError(415, "expected application/x-protobuf with Content-Encoding: snappy");
    }
    const body = request.body;
    checkBlock(body);
    const outcome = await service.push({
      runId,
      instance: instanceOf(request),
      key: idempotencyKeyOf(request) || createHash("sha256").update(body).digest("hex"),
      body,
    });
    switch (outcome) {
      case "stored":
      case "repeated":
        return await reply.code(204).send();
      case "stopped":
        throw toStop(runId);
      case "unknown_run":
        throw new ApiError(404, `there is no test run ${runId}`);
      case "too_many_generators":
      case "too_many_metrics":
        onRefused(outcome);
        throw new ApiError(400, excesses[outcome]);
    }
  };
  app.post(url, { onRequest: pushersOnly(authenticator) }, push);
}

const excesses: Readonly<Record<PushExcess, string>> = {
  too_many_generators:
    "the test run has as many generators as it may have, and this is another name",
  too_many_metrics: "the test run has as many metrics as it may have, and the push has more",
};

/** Before anything is inflated. */
function checkBlock(body: Buffer): void {
  const length = inflatedLength(body);
  if (length === undefined) throw new ApiError(400, "the body is no snappy block");
  if (length > maxInflatedBytes) {
    throw new ApiError(
      413,
      `the push has ${length} bytes when inflated, more than ${maxInflatedBytes}`,
    );
  }
}

/**
 * k6's provisioning API, `/provisioning/v1`: `k6 cloud run --local-execution` of v2.2 and later starts a run with it and
 * says how it ended. It never sends verdicts of thresholds, and cannot be stopped.
 *
 * Source: k6 `internal/cloudapi/provisioning/api.go`, `provision.go`, `notify.go`, `SDK/model_runtime_config.go` (v2.2.0).
 */
import type { FastifyPluginAsync } from "fastify";
import { z } from "zod";
import { proofOf } from "../../runs/run-proof.ts";
import { admit, principalOf, pushersOnly, runOf, usersOnly } from "./authorize.ts";
import {
  baseUrlOf,
  type CloudApiOptions,
  type Freshness,
  limits,
  pageUrlOf,
} from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { readNotification } from "./notify.ts";
import {
  acceptJson,
  generatorOf,
  idempotencyKeyOf,
  idOf,
  int32,
  readBody,
} from "./read-request.ts";
import { fromOptions } from "./run-options.ts";

const startRequest = z.object({
  options: z.record(z.string(), z.unknown()),
  max_vus: int32,
  /** Seconds, graceful stops included. */
  total_duration: int32,
  /** Null where k6 uploads none. */
  archive_size: z.int().min(0).nullish(),
});

export function provisioningRoutes(options: CloudApiOptions): FastifyPluginAsync {
  const { service, repository, authenticator, admission, freshness } = options;
  return async (app) => {
    acceptJson(app, limits.json);

    app.post(
      "/load_tests/:id/start_local_execution",
      { onRequest: usersOnly(authenticator, "push") },
      async (request, reply) => {
        admit("run", admission, request, reply);
        const testId = idOf(request);
        const body = readBody(startRequest, request.body);
        const test = await repository.test(testId);
        if (test === undefined) throw new ApiError(404, `there is no load test ${testId}`);
        const { run, token } = await service.start({
          projectId: test.projectId,
          test: test.name,
          source: "cloud-v6",
          generator: generatorOf(request),
          startedBy: principalOf(request).name,
          ...fromOptions(body.options),
          maxVus: body.max_vus,
          expectedSeconds: body.total_duration,
          idempotencyKey: idempotencyKeyOf(request),
        });
        const base = baseUrlOf(request, options);
        const archiveBytes = body.archive_size ?? 0;
        const proof = proofOf("upload", (await repository.tokenHash(run.id)) ?? "", run.id);
        return {
          test_run_id: run.id,
          // k6 warns where it is null, and goes on without.
          archive_upload_url:
            archiveBytes > 0 && archiveBytes <= limits.archive
              ? `${base}/upload/${run.id}?token=${proof}`
              : null,
          test_run_details_page_url: pageUrlOf(run.id, options),
          runtime_config: toRuntimeConfig(run.id, token, base, freshness),
        };
      },
    );

    app.post(
      "/test_runs/:id/notify",
      { onRequest: pushersOnly(authenticator) },
      async (request, reply) => {
        const end = readNotification(request.body);
        await service.end((await runOf(request, repository)).id, end);
        return await reply.code(204).send();
      },
    );

    app.get(
      "/test_runs/:id/decrypt_secret",
      { onRequest: pushersOnly(authenticator) },
      async () => {
        throw new ApiError(
          404,
          "this server keeps no secrets: give them to k6 with --no-cloud-secrets --secret-source=file=PATH",
        );
      },
    );
  };
}

/** Every key is required, also of what k6 does not use. Durations are Go's. */
function toRuntimeConfig(runId: number, token: string, base: string, freshness: Freshness): object {
  return {
    test_run_token: token,
    metrics: {
      push_url: `${base}/ingest/${runId}/metrics`,
      push_interval: `${freshness.pushIntervalMs}ms`,
      push_concurrency: 1,
      aggregation_period: `${freshness.aggregationPeriodMs / 1_000}s`,
      aggregation_wait_period: `${freshness.aggregationWaitMs / 1_000}s`,
      aggregation_min_samples: null,
      max_samples_per_package: 1_000,
    },
    logs: {
      push_url: `${base}/ingest/${runId}/logs`,
      tail_url: "",
      // Lines per period, of which k6 counts the rest; a period is also k6's patience with the answer.
      limit: 1_000,
      push_period_seconds: "2s",
      level: "",
      // Characters.
      message_max_size: 10_000,
      allowed_labels: [],
    },
    // Of an empty one, k6 says that it is not configured; of a 404, only its number.
    secrets: { endpoint: "", response_path: "" },
    traces: { push_url: "", traces_metadata: {}, proto: "http" },
    files: { push_url: "", screenshots_base_path: "", headers: {}, method: "POST" },
  };
}

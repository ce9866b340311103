/**
 * k6's older API, `/v1`: `k6 run --out cloud` of every version, and `k6 cloud run --local-execution` before v2.2, start a
 * run with it and say how it ended, with k6's own verdicts of thresholds.
 *
 * In:  the run as JSON, or as a form with the script's archive, which then has the thresholds.
 * Out: the run's id, and how k6 is to push. Remote execution, and logging in with a password, are refused.
 *
 * Source: k6 `cloudapi/api.go`, `internal/output/cloud/output.go` (v2.2.0), `internal/cmd/cloud.go` (v1.8.1).
 */
import type { Readable } from "node:stream";
import multipart, { type MultipartFile } from "@fastify/multipart";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { z } from "zod";
import { messageOf } from "../../errors.ts";
import type { StartedRun } from "../../runs/run-service.ts";
import { readArchive } from "./archive.ts";
import { admit, principalOf, pushersOnly, runOf, usersOnly } from "./authorize.ts";
import { type CloudApiOptions, limits, pageUrlOf } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import {
  acceptJson,
  generatorOf,
  idempotencyKeyOf,
  int32,
  partsOf,
  readBody,
  testName,
} from "./read-request.ts";
import { refuseRemoteExecution } from "./remote-execution.ts";
import { fromOptions } from "./run-options.ts";
import { fromLegacyRunStatus } from "./run-status.ts";

const defaultProjectId = 1;

/** Of a form, all are text. */
const newRun = z.object({
  name: testName,
  /** 0 for none. */
  project_id: z.coerce.number().pipe(int32).optional(),
  vus: z.coerce.number().pipe(int32),
  /** Seconds, graceful stops included. */
  duration: z.coerce.number().pipe(int32),
  thresholds: z.unknown().optional(),
});

const finish = z.object({
  run_status: z.int(),
  /** True is failed. */
  thresholds: z.record(z.string(), z.record(z.string(), z.boolean())).nullish(),
});

export function legacyRoutes(options: CloudApiOptions): FastifyPluginAsync {
  const { service, repository, authenticator, admission, clock } = options;
  const mayPush = { onRequest: usersOnly(authenticator, "push") };

  async function start(
    request: FastifyRequest,
    body: z.infer<typeof newRun>,
    scriptOptions: unknown,
  ): Promise<StartedRun> {
    const projectId = body.project_id || defaultProjectId;
    await repository.ensureProject(projectId, clock.nowMs());
    return await service.start({
      projectId,
      test: body.name,
      source: "cloud-v1",
      generator: generatorOf(request),
      startedBy: principalOf(request).name,
      ...fromOptions(scriptOptions),
      maxVus: body.vus,
      expectedSeconds: body.duration,
      idempotencyKey: idempotencyKeyOf(request),
    });
  }

  /** The run's id. */
  async function startWithArchive(
    request: FastifyRequest,
    fields: unknown,
    tar: Readable,
  ): Promise<number> {
    const body = readBody(newRun, fields);
    using archive = await readArchive(tar.iterator({ destroyOnReturn: false }));
    const started = await start(request, body, archive.options);
    const { id } = started.run;
    try {
      await service.saveArchive(id, archive.redacted);
    } catch (error) {
      // k6 ends, and says so to nobody; where the connection broke, it sends the same again.
      if (!request.raw.destroyed)
        await service.end(id, { state: "aborted_by_system", reason: messageOf(error) });
      throw error;
    }
    return id;
  }

  return async (app) => {
    acceptJson(app, limits.json);
    await app.register(multipart, {
      // A file is cut at its limit, which would be no error: the archive's own comes before.
      limits: { fields: 10, fieldSize: 10_000, files: 1, fileSize: limits.archive + 1 },
    });

    app.post("/tests", mayPush, async (request, reply) => {
      admit("run", admission, request, reply);
      if (!request.isMultipart()) {
        const body = readBody(newRun, request.body);
        const { thresholds } = body;
        const started = await start(request, body, thresholds ? { thresholds } : {});
        return toCreated(started.run.id, options);
      }
      const { fields, file } = await readForm(request);
      try {
        return toCreated(await startWithArchive(request, fields, file.file), options);
      } finally {
        // Of one that is refused, the rest: unread, it would keep the answer from being given.
        file.file.resume();
      }
    });

    app.post("/tests/:id", { onRequest: pushersOnly(authenticator) }, async (request) => {
      const { run_status, thresholds } = readBody(finish, request.body);
      const state = fromLegacyRunStatus(run_status);
      if (state === undefined) {
        throw new ApiError(
          400,
          `run_status ${run_status} is not the end of a run; expected 3 to 9`,
        );
      }
      const verdicts = Object.entries(thresholds ?? {}).flatMap(([metric, byExpression]) =>
        Object.entries(byExpression).map(([expression, hasFailed]) => ({
          metric,
          expression,
          ok: !hasFailed,
        })),
      );
      const { id } = await runOf(request, repository);
      await service.end(id, { state, thresholds: verdicts });
      return {};
    });

    app.post("/validate-token", mayPush, async () => ({
      is_valid: true,
      message: "",
      "token-info": "",
    }));

    app.post("/login", () => {
      throw new ApiError(
        400,
        "this server has tokens instead of passwords: k6 cloud login --token TOKEN",
      );
    });

    app.post("/validate-options", mayPush, refuseRemoteExecution);
    app.get("/test-progress/:id", mayPush, refuseRemoteExecution);
    app.post("/archive-upload", mayPush, refuseRemoteExecution);
  };
}

/** What k6 reads of it wins over its environment, but for `k6 cloud run`. Durations are Go's. */
function toCreated(runId: number, options: CloudApiOptions): object {
  const { freshness } = options;
  return {
    // A string of digits: k6 refuses another one when it traces.
    reference_id: String(runId),
    config: {
      metricPushInterval: `${freshness.pushIntervalMs}ms`,
      aggregationPeriod: `${freshness.aggregationPeriodMs / 1_000}s`,
      aggregationWaitPeriod: `${freshness.aggregationWaitMs / 1_000}s`,
      // Traces would go to Grafana, and the token with them.
      tracesEnabled: false,
      stopOnError: true,
      testRunDetails: pageUrlOf(runId, options),
    },
  };
}

/** The fields come before the file, which is read by whoever gets it. */
async function readForm(
  request: FastifyRequest,
): Promise<{ fields: Record<string, unknown>; file: MultipartFile }> {
  const fields: Record<string, unknown> = {};
  for await (const part of partsOf(request)) {
    if (part.type === "file") return { fields, file: part };
    fields[part.fieldname] = part.value;
  }
  throw new ApiError(400, "the form has no file");
}

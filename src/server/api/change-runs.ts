/**
 * The routes of `/api/v1/runs` that make, change, end and remove runs.
 */
import type { FastifyPluginAsync } from "fastify";
import type { Json } from "../../runs/run-record.ts";
import type { RunState } from "../../runs/run-state.ts";
import { stopOf } from "../../runs/stopping.ts";
import { parseThresholds } from "../../runs/thresholds.ts";
import { isOver } from "../../runs/transitions.ts";
import { principalOf, requireRole } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { k6RunEnvironment } from "../k6-environment.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { findOwnRun } from "./find-run.ts";
import { toRunView } from "./run-view.ts";
import * as schemas from "./schemas.ts";

interface RunParams {
  readonly id: string;
}

/** At least one of them. */
interface RunPatch {
  readonly note?: string;
  readonly starred?: boolean;
}

/** As the schema has it, defaults included. */
interface NewRunBody {
  readonly test: string;
  readonly project: number;
  readonly note: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly thresholds: Json;
  readonly generator: string;
  readonly maxVus?: number;
  readonly expectedSeconds?: number;
}

export function changeRuns(dependencies: ApiDependencies): FastifyPluginAsync {
  const { repository, service, files, authenticator, admission, publicUrl, clock } = dependencies;
  return async (app) => {
    const pushers = requireRole(authenticator, { role: "push" });
    const followers = requireRole(authenticator, { role: "push", orRun: true });
    const readers = requireRole(authenticator, { role: "read" });
    const admins = requireRole(authenticator, { role: "admin" });

    app.post<{ Body: NewRunBody }>(
      "/runs",
      {
        onRequest: pushers,
        schema: {
          summary: "make a run for generators that only push",
          body: schemas.newRun,
          response: { 201: schemas.createdRun, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const refusal = admission.admit("run", principalOf(request).name);
        if (refusal) {
          void reply.header("Retry-After", String(refusal.retryAfterSeconds));
          throw new HttpError(429, "too_many_requests", refusal.message);
        }
        await repository.ensureProject(body.project, clock.nowMs());
        const key = request.headers["idempotency-key"];
        const { run, token } = await service.start({
          projectId: body.project,
          test: body.test,
          source: "api",
          generator: body.generator,
          startedBy: principalOf(request).name,
          options: {},
          thresholds: parseThresholds(body.thresholds),
          maxVus: body.maxVus,
          expectedSeconds: body.expectedSeconds,
          tags: body.tags,
          note: body.note,
          idempotencyKey: typeof key === "string" ? key : "",
        });
        void reply.code(201);
        const environment = k6RunEnvironment({ server: publicUrl, runId: run.id, token });
        return { run: toRunView(run), token, environment: Object.fromEntries(environment) };
      },
    );

    app.patch<{ Params: RunParams; Body: RunPatch }>(
      "/runs/:id",
      {
        onRequest: readers,
        schema: {
          summary: "write a note, star a run or take its star away",
          params: schemas.runParams,
          body: schemas.runPatch,
          response: { 200: schemas.oneRun, ...schemas.errors },
        },
      },
      async (request) => {
        const { id } = await findOwnRun(repository, request.params.id, principalOf(request));
        return toRunView(found(id, await repository.change(id, request.body)));
      },
    );

    app.delete<{ Params: RunParams }>(
      "/runs/:id",
      {
        onRequest: admins,
        schema: {
          summary: "remove the record, log and archive; samples stay where they are",
          params: schemas.runParams,
          response: { 204: { type: "null", description: "removed" }, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        if (!isOver(run.state)) {
          throw new HttpError(409, "conflict", `run ${run.id} is ${run.state}: end it first`);
        }
        await repository.delete(run.id);
        await files.remove(run);
        request.log.info({ runId: run.id, by: principalOf(request).name }, "run removed");
        return await reply.code(204).send();
      },
    );

    app.post<{ Params: RunParams; Body: { readonly state: RunState; readonly reason?: string } }>(
      "/runs/:id/end",
      {
        onRequest: followers,
        schema: {
          summary: "say how a run ended, whose generators only push",
          params: schemas.runParams,
          body: schemas.endOfRun,
          response: { 200: schemas.oneRun, ...schemas.errors },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const { id } = await findOwnRun(repository, request.params.id, principal);
        return toRunView(found(id, await service.end(id, { ...request.body, by: principal.name })));
      },
    );

    app.post<{ Params: RunParams }>(
      "/runs/:id/stop",
      {
        onRequest: followers,
        schema: {
          summary: "ask the generator to stop, where it can be told",
          params: schemas.runParams,
          response: { 202: schemas.stopping, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request);
        const run = await findOwnRun(repository, request.params.id, principal);
        const { id, state } = run;
        const outcome = await service.stop(id, principal.name);
        switch (outcome) {
          case "stopping":
            return await reply.code(202).send({ outcome });
          case "over":
            throw new HttpError(409, "over", `run ${id} is over: ${state}`);
          case "unstoppable":
            throw new HttpError(409, "unstoppable", stopOf(run).why);
          case "unknown_run":
            return found(id, undefined);
        }
      },
    );
  };
}

/** What was there a moment ago. @throws HttpError */
function found<Value>(id: number, value: Value | undefined): Value {
  if (value === undefined) throw new HttpError(404, "not_found", `there is no run ${id}`);
  return value;
}

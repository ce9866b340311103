/**
 * The routes of `/api/v1/runs` that change nothing.
 */
import { Readable } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import { principalOf, requireRole } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { exportRun } from "./export-run.ts";
import { findOwnRun, keptElsewhere } from "./find-run.ts";
import { type RunQuery, toPage, toRunFilter } from "./run-query.ts";
import { toRunListItem, toRunView } from "./run-view.ts";
import * as schemas from "./schemas.ts";

interface RunParams {
  readonly id: string;
}

export function readRuns({
  repository,
  files,
  authenticator,
}: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const readers = requireRole(authenticator, { role: "read" });
    const followers = requireRole(authenticator, { role: "push", orRun: true, orShare: true });

    app.get<{ Querystring: RunQuery }>(
      "/runs",
      {
        onRequest: readers,
        schema: {
          summary: "runs, a page of them in any order",
          querystring: schemas.listQuery,
          response: { 200: schemas.runList, ...schemas.errors },
        },
      },
      async ({ query }) => {
        const list = await repository.list(toRunFilter(query), toPage(query));
        return { ...list, runs: list.runs.map(toRunListItem), next: list.next ?? null };
      },
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id",
      {
        onRequest: followers,
        schema: {
          summary: "one run",
          params: schemas.runParams,
          response: { 200: schemas.oneRun, ...schemas.errors },
        },
      },
      async (request) =>
        toRunView(await findOwnRun(repository, request.params.id, principalOf(request))),
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id/logs",
      {
        onRequest: readers,
        schema: {
          summary: "its log: a JSON object a line",
          params: schemas.runParams,
          produces: ["application/x-ndjson"],
          response: { 200: { type: "string", description: "JSON lines" }, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        const log = await files.log(run);
        if (!log && run.logLines > 0) throw await keptElsewhere(repository, run, "log");
        return await reply.type("application/x-ndjson").send(log ?? "");
      },
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id/archive",
      {
        onRequest: readers,
        schema: {
          summary: "the archive of its script, without what is secret",
          params: schemas.runParams,
          produces: ["application/x-tar"],
          response: {
            200: { type: "string", format: "binary", description: "a tar" },
            ...schemas.errors,
          },
        },
      },
      async (request, reply) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        const archive = await files.archive(run);
        if (!archive && run.archiveBytes > 0) throw await keptElsewhere(repository, run, "archive");
        if (!archive) throw new HttpError(404, "not_found", `run ${run.id} has no archive`);
        const name = run.testid.replace(/[^\w.-]+/g, "-");
        return await reply
          .type("application/x-tar")
          .header("Content-Disposition", `attachment; filename="${name}.tar"`)
          .send(archive);
      },
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id/export",
      {
        onRequest: readers,
        schema: {
          summary: "all that is kept of it",
          params: schemas.runParams,
          response: { 200: schemas.exportedRun, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        const log = await files.log(run);
        if (!log && run.logLines > 0) throw await keptElsewhere(repository, run, "log");
        return await reply
          .type("application/json")
          .send(Readable.from(exportRun(toRunView(run), log)));
      },
    );
  };
}

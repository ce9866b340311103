/**
 * The routes that read parts of what is kept of a run in files: lines of its log, its script.
 */
import type { FastifyPluginAsync } from "fastify";
import type { Readable } from "node:stream";
import { messageOf } from "../../errors.ts";
import { principalOf, requireRole } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { type LogQuery, readLogPage } from "../log-page.ts";
import { readScript, readScriptFile } from "../script-archive.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { findOwnRun, keptElsewhere } from "./find-run.ts";
import type { LogPageView } from "./log-view.ts";
import * as recordSchemas from "./record-schemas.ts";
import * as schemas from "./schemas.ts";

interface RunParams {
  readonly id: string;
}

export function readFiles({
  repository,
  files,
  authenticator,
}: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const readers = requireRole(authenticator, { role: "read", orShare: true });

    app.get<{
      Params: RunParams;
      Querystring: Omit<LogQuery, "level"> & { readonly level?: LogQuery["level"] };
    }>(
      "/runs/:id/log-lines",
      {
        onRequest: readers,
        schema: {
          summary: "lines of its log that match, also while it grows",
          params: schemas.runParams,
          querystring: recordSchemas.logQuery,
          response: { 200: recordSchemas.logPage, ...schemas.errors },
        },
      },
      async (request): Promise<LogPageView> => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        const file = await files.logFile(run);
        if (!file && run.logLines > 0) throw await keptElsewhere(repository, run, "log");
        if (!file) return { lines: [], next: 0, isEnd: true };
        try {
          return await readLogPage(file, { level: undefined, ...request.query });
        } finally {
          await file.close();
        }
      },
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id/script",
      {
        onRequest: readers,
        schema: {
          summary: "what its script is made of, its options and the names of its variables",
          params: schemas.runParams,
          response: { 200: recordSchemas.script, ...schemas.errors },
        },
      },
      async (request) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        return await readArchiveOf(run, readScript);
      },
    );

    app.get<{ Params: RunParams; Querystring: { readonly path: string } }>(
      "/runs/:id/script/file",
      {
        onRequest: readers,
        schema: {
          summary: "the text of one of its files, at most 1 MiB of it",
          params: schemas.runParams,
          querystring: recordSchemas.scriptFileQuery,
          produces: ["text/plain"],
          response: { 200: { type: "string", description: "text" }, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        const { path } = request.query;
        const file = await readArchiveOf(run, (tar) => readScriptFile(tar, path));
        if (!file) {
          const message = `the script of run ${run.id} has no file ${JSON.stringify(path)}`;
          throw new HttpError(404, "not_found", message);
        }
        if (file.isTruncated) void reply.header("X-Plimsoll-Truncated", "true");
        return await reply.type("text/plain; charset=utf-8").send(file.text);
      },
    );

    /** @throws HttpError */
    async function readArchiveOf<Value>(
      run: Awaited<ReturnType<typeof findOwnRun>>,
      read: (tar: Readable) => Promise<Value>,
    ): Promise<Value> {
      const tar = await files.archive(run);
      if (!tar && run.archiveBytes > 0) throw await keptElsewhere(repository, run, "archive");
      if (!tar) throw new HttpError(404, "not_found", `run ${run.id} has no archive of its script`);
      try {
        return await read(tar);
      } catch (error) {
        const message = `the archive of run ${run.id} cannot be read: ${messageOf(error)}`;
        throw new HttpError(500, "archive_damaged", message);
      }
    }
  };
}

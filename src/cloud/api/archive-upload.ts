/**
 * Takes the script's archive, `PUT /upload/ID?token=TOKEN`. k6 sends no header that says who it is, so the URL does.
 *
 * Source: k6 `internal/cloudapi/provisioning/api.go` (`UploadArchive`, v2.2.0).
 */
import type { Readable } from "node:stream";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { readArchive } from "./archive.ts";
import { pushersOnly } from "./authorize.ts";
import type { CloudApiOptions } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { idOf } from "./read-request.ts";

export function uploadRoutes({ service, authenticator }: CloudApiOptions): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("application/x-tar", (_request, payload, done) => done(null, payload));
    app.put(
      "/:id",
      { onRequest: pushersOnly(authenticator, tokenOfUrl) },
      async (request, reply) => {
        const id = idOf(request);
        // The parser hands on the request's own stream.
        using archive = await readArchive(request.body as Readable);
        if (!(await service.saveArchive(id, archive.redacted))) {
          throw new ApiError(404, `there is no test run ${id}`);
        }
        return await reply.code(204).send();
      },
    );
  };
}

function tokenOfUrl(request: FastifyRequest): string | undefined {
  const { token } = request.query as { token?: unknown };
  return typeof token === "string" ? token : undefined;
}

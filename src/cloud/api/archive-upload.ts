/**
 * Takes the script's archive, `PUT /upload/ID?token=PROOF`. k6 sends no header that says who it is, so the URL does; and
 * because URLs end up in the logs of proxies, what it has is good for this alone, and until the run's first sample.
 *
 * Source: k6 `internal/cloudapi/provisioning/api.go` (`UploadArchive`, v2.2.0), which uploads before it starts the test.
 */
import type { Readable } from "node:stream";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { isProof } from "../../runs/run-proof.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import { readArchive } from "./archive.ts";
import type { CloudApiOptions } from "./cloud-api-options.ts";
import { ApiError } from "./errors.ts";
import { idOf } from "./read-request.ts";

export function uploadRoutes({ service, repository }: CloudApiOptions): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("application/x-tar", (_request, payload, done) => done(null, payload));
    // Before the body is read.
    const onRequest = (request: FastifyRequest): Promise<void> => checkUpload(request, repository);
    app.put("/:id", { onRequest }, async (request, reply) => {
      const id = idOf(request);
      // The parser hands on the request's own stream.
      const body = request.body as Readable;
      try {
        using archive = await readArchive(body.iterator({ destroyOnReturn: false }));
        if (!(await service.saveArchive(id, archive.redacted))) {
          throw new ApiError(404, `there is no test run ${id}`);
        }
      } finally {
        // Of one that is refused, the rest: unread, it would keep the connection's next request from being seen.
        body.resume();
      }
      return await reply.code(204).send();
    });
  };
}

/** @throws ApiError */
async function checkUpload(request: FastifyRequest, repository: RunRepository): Promise<void> {
  const id = idOf(request);
  const { token } = request.query as { token?: unknown };
  const given = typeof token === "string" ? token : "";
  if (!isProof(given, "upload", await repository.tokenHash(id), id)) {
    throw new ApiError(401, "this is not the URL that the archive of this test run goes to");
  }
  const run = await repository.run(id);
  if (run?.state !== "created" && run?.state !== "initializing") {
    throw new ApiError(409, `test run ${id} has begun: its archive stays as it is`);
  }
}

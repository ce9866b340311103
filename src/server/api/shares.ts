/**
 * The routes of `/api/v1/runs/:id/shares`: links that show one run, for a while, to whoever has them.
 */
import type { FastifyPluginAsync } from "fastify";
import type { RunShare } from "../../runs/run-repository.ts";
import { principalOf, requireRole } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { createToken, hashToken } from "../tokens.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { findOwnRun } from "./find-run.ts";
import { toTime } from "./run-view.ts";
import { errors, runParams } from "./schemas.ts";
import * as schemas from "./session-schemas.ts";
import type { CreatedShare, ShareView } from "./session-view.ts";

interface RunParams {
  readonly id: string;
}

export function shareRoutes({
  repository,
  authenticator,
  publicUrl,
  clock,
}: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const onRequest = requireRole(authenticator, { role: "read" });

    app.post<{ Params: RunParams; Body: { readonly seconds: number } }>(
      "/runs/:id/shares",
      {
        onRequest,
        schema: {
          summary: "make a link that shows the run to who has no token",
          params: runParams,
          body: schemas.newShare,
          response: { 201: schemas.createdShare, ...errors },
        },
      },
      async (request, reply): Promise<CreatedShare> => {
        const principal = principalOf(request);
        const run = await findOwnRun(repository, request.params.id, principal);
        const token = createToken("pls");
        const nowMs = clock.nowMs();
        const share = await repository.createShare({
          runId: run.id,
          createdBy: principal.name,
          hash: hashToken(token),
          createdMs: nowMs,
          expiresMs: nowMs + request.body.seconds * 1_000,
        });
        if (!share) throw new HttpError(404, "not_found", `there is no run ${run.id}`);
        request.log.info({ share, by: principal.name }, "run shared");
        void reply.code(201);
        return { share: toShareView(share), url: `${publicUrl}/runs/${run.id}#share=${token}` };
      },
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id/shares",
      {
        onRequest,
        schema: {
          summary: "its links that have not ended",
          params: runParams,
          response: { 200: schemas.shareList, ...errors },
        },
      },
      async (request): Promise<{ readonly shares: readonly ShareView[] }> => {
        const { id } = await findOwnRun(repository, request.params.id, principalOf(request));
        return { shares: (await repository.shares(id, clock.nowMs())).map(toShareView) };
      },
    );

    app.delete<{ Params: RunParams & { readonly share: number } }>(
      "/runs/:id/shares/:share",
      {
        onRequest,
        schema: {
          summary: "revoke a link: who made it, and admins; it may go on for five seconds",
          params: schemas.shareParams,
          response: { 204: { type: "null", description: "revoked" }, ...errors },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request);
        const { id } = await findOwnRun(repository, request.params.id, principal);
        const shares = await repository.shares(id, clock.nowMs());
        const share = shares.find((one) => one.id === request.params.share);
        if (!share) {
          throw new HttpError(404, "not_found", `run ${id} has no link ${request.params.share}`);
        }
        if (share.createdBy !== principal.name && principal.role !== "admin") {
          throw new HttpError(
            403,
            "forbidden",
            `link ${share.id} was made by ${JSON.stringify(share.createdBy)}, who may revoke it, as admins may`,
          );
        }
        await repository.deleteShare(id, share.id);
        request.log.info({ share, by: principal.name }, "link revoked");
        return await reply.code(204).send();
      },
    );
  };
}

function toShareView({ id, createdBy, createdMs, expiresMs }: RunShare): ShareView {
  return { id, createdBy, created: toTime(createdMs), expires: toTime(expiresMs) };
}

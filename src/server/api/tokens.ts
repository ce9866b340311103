/**
 * The routes of `/api/v1/tokens`, for admins.
 */
import type { FastifyPluginAsync } from "fastify";
import type { Role } from "../../runs/run-repository.ts";
import { principalOf, requireRole } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { issueToken } from "../tokens.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { toTokenView } from "./token-view.ts";
import * as schemas from "./schemas.ts";

export function tokenRoutes({
  repository,
  authenticator,
  clock,
}: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const onRequest = requireRole(authenticator, { role: "admin" });

    app.get(
      "/tokens",
      {
        onRequest,
        schema: {
          summary: "all tokens",
          response: { 200: schemas.tokenList, ...schemas.errors },
        },
      },
      async () => ({ tokens: (await repository.tokens()).map(toTokenView) }),
    );

    app.post<{ Body: { readonly name: string; readonly role: Role } }>(
      "/tokens",
      {
        onRequest,
        schema: {
          summary: "make a token",
          body: schemas.newToken,
          response: { 201: schemas.createdToken, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const made = await issueToken(repository, { ...request.body, nowMs: clock.nowMs() });
        const record = toTokenView(made.record);
        request.log.info({ token: record, by: principalOf(request).name }, "token made");
        void reply.code(201);
        return { token: made.token, record };
      },
    );

    app.delete<{ Params: { readonly id: number } }>(
      "/tokens/:id",
      {
        onRequest,
        schema: {
          summary: "revoke a token; it may go on for five seconds",
          params: schemas.tokenParams,
          response: { 204: { type: "null", description: "revoked" }, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!(await repository.revokeToken(id, clock.nowMs()))) {
          throw new HttpError(404, "not_found", `there is no token ${id}, or it is revoked`);
        }
        request.log.info({ token: id, by: principalOf(request).name }, "token revoked");
        return await reply.code(204).send();
      },
    );
  };
}

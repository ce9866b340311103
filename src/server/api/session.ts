/**
 * The routes of `/api/v1/session`: a person signs in with a token, which a cookie keeps from then on.
 *
 * Open to everybody, so that they see to wrong tokens themselves; each that changes something is for our own page alone, or
 * another one could sign a person in as somebody else.
 */
import type { FastifyPluginAsync, FastifyReply } from "fastify";
import type { Principal } from "../../runs/principal.ts";
import { version } from "../../version.ts";
import { credentialOf } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { assertFromOurPage } from "../session/session.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { toTime } from "./run-view.ts";
import { errors } from "./schemas.ts";
import * as schemas from "./session-schemas.ts";
import type { SessionView } from "./session-view.ts";

export function sessionRoutes({
  authenticator,
  wrongTokens,
  publicUrl,
  grafanaUrl,
  clock,
}: ApiDependencies): FastifyPluginAsync {
  const { origin } = new URL(publicUrl);
  const toView = (principal: Principal | undefined): SessionView => ({
    principal: principal ? toPrincipalView(principal) : null,
    now: toTime(clock.nowMs()),
    version,
    grafanaUrl: grafanaUrl ?? null,
  });
  return async (app) => {
    const cookie = app.sessionCookie;
    const config = { isOpen: true };
    const signOut = (reply: FastifyReply): void => void reply.header("Set-Cookie", cookie.clear());

    app.get(
      "/session",
      {
        config,
        schema: { summary: "who is signed in", response: { 200: schemas.session, ...errors } },
      },
      async (request, reply) => {
        const token = credentialOf(request);
        if (token === undefined) return toView(undefined);
        const principal = await authenticator.authenticate(token);
        if (principal) return toView(principal);
        wrongTokens.refuse(request, reply);
        if (request.sessionToken === undefined) throw unknownToken();
        wrongTokens.add(request);
        signOut(reply);
        return toView(undefined);
      },
    );

    app.post<{ Body: { readonly token: string } }>(
      "/session",
      {
        config,
        onRequest: async (request) => assertFromOurPage(request, origin),
        schema: {
          summary: "sign in: sets a cookie that every route here takes in place of the header",
          body: schemas.newSession,
          response: { 200: schemas.session, ...errors },
        },
      },
      async (request, reply) => {
        const { token } = request.body;
        const principal = await authenticator.authenticate(token);
        if (!principal) {
          wrongTokens.refuse(request, reply);
          throw unknownToken();
        }
        const { expiresMs } = principal;
        const endsInSeconds =
          expiresMs === undefined ? undefined : (expiresMs - clock.nowMs()) / 1_000;
        void reply.header("Set-Cookie", cookie.set(token, endsInSeconds));
        request.log.info({ by: principal.name }, "signed in");
        return toView(principal);
      },
    );

    app.delete(
      "/session",
      {
        config,
        onRequest: async (request) => assertFromOurPage(request, origin),
        schema: {
          summary: "sign out",
          response: { 204: { type: "null", description: "nobody is signed in" }, ...errors },
        },
      },
      async (_, reply) => {
        signOut(reply);
        return await reply.code(204).send();
      },
    );
  };
}

function unknownToken(): HttpError {
  return new HttpError(401, "unauthenticated", "the token is not known");
}

function toPrincipalView({
  name,
  role,
  runId,
  expiresMs,
}: Principal): NonNullable<SessionView["principal"]> {
  return {
    name,
    role,
    runId: runId ?? null,
    expires: expiresMs === undefined ? null : toTime(expiresMs),
  };
}

/**
 * `GET /api/v1/runs/:id/live`: what goes on in a run, as server-sent events (live-view.ts).
 */
import type { FastifyPluginAsync } from "fastify";
import { credentialOf, principalOf, requireRole } from "../authenticate.ts";
import { HttpError } from "../http-error.ts";
import { defaultFeedLimits, LiveFeeds } from "../live-feed/live-feeds.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { findOwnRun } from "./find-run.ts";
import * as schemas from "./schemas.ts";

export function liveRoute(dependencies: ApiDependencies): FastifyPluginAsync {
  const { repository, authenticator, metrics, limits } = dependencies;
  return async (app) => {
    const feeds = new LiveFeeds({
      ...dependencies,
      limits: { ...defaultFeedLimits, ...limits },
      onChange: (open) => metrics.watched(open),
      onFault: (error) => app.log.error({ err: error }, "live feed failed; it tries again"),
    });
    // Before the server waits for answers under way: these have no end of their own.
    app.addHook("preClose", async () => feeds.close());

    app.get<{ Params: { readonly id: string }; Querystring: { readonly after?: number } }>(
      "/runs/:id/live",
      {
        // It would not end.
        exposeHeadRoute: false,
        onRequest: requireRole(authenticator, {
          role: "push",
          orRun: true,
          orShare: true,
        }),
        schema: {
          summary: "what goes on in it, as server-sent events",
          params: schemas.runParams,
          querystring: schemas.liveQuery,
          produces: ["text/event-stream"],
          response: { 200: { type: "string", description: "events" }, ...schemas.errors },
        },
      },
      async (request, reply) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        if (feeds.isFull) {
          metrics.refused("streams");
          void reply.header("Retry-After", "10");
          throw new HttpError(503, "overloaded", "as many people look as this server can serve");
        }
        const token = credentialOf(request) ?? "";
        request.becomeStream();
        reply.hijack();
        feeds.open(reply.raw, run, {
          seen: lastEventId(request.headers["last-event-id"]) ?? request.query.after,
          mayLook: async () => (await authenticator.authenticate(token)) !== undefined,
        });
      },
    );
  };
}

/** Of a browser that comes back. It is what we sent, or somebody's mistake. */
function lastEventId(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,12}$/.test(header) ? Number(header) : undefined;
}

/**
 * Our own API, `/api/v1`, with the document that describes it, `/api/v1/openapi.json`.
 */
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { version } from "../../version.ts";
import { answerNotFound } from "../http-error.ts";
import { refuseOtherPages } from "../session/session.ts";
import { changeRuns } from "./change-runs.ts";
import { chartRoutes } from "./charts.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { liveRoute } from "./live.ts";
import { filterRoutes } from "./filter-choices.ts";
import { readFiles } from "./read-files.ts";
import { readRuns } from "./read-runs.ts";
import { sessionRoutes } from "./session.ts";
import { shareRoutes } from "./shares.ts";
import { tokenRoutes } from "./tokens.ts";

export async function registerApi(
  server: FastifyInstance,
  dependencies: ApiDependencies,
): Promise<void> {
  await server.register(
    async (app) => {
      app.addHook("onRequest", refuseOtherPages(dependencies.publicUrl));
      // It sees the routes of this plugin alone: k6's APIs are k6's to describe.
      await app.register(swagger, {
        openapi: {
          openapi: "3.0.3",
          info: {
            title: "Plimsoll",
            description: "The runs of a team's load tests.",
            version,
          },
          servers: [{ url: dependencies.publicUrl }],
          components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
          security: [{ token: [] }],
        },
      });
      await app.register(readRuns(dependencies));
      await app.register(liveRoute(dependencies));
      await app.register(readFiles(dependencies));
      await app.register(filterRoutes(dependencies));
      await app.register(changeRuns(dependencies));
      await app.register(chartRoutes(dependencies));
      await app.register(tokenRoutes(dependencies));
      await app.register(sessionRoutes(dependencies));
      await app.register(shareRoutes(dependencies));
      app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
      app.setNotFoundHandler(answerNotFound);
    },
    { prefix: "/api/v1" },
  );
}

/**
 * The routes that say what a list of runs can be filtered by: `/api/v1/tests` and `/api/v1/tags`.
 */
import type { FastifyPluginAsync } from "fastify";
import { requireRole } from "../authenticate.ts";
import type { ApiDependencies } from "./dependencies.ts";
import type { TagListView, TestListView } from "./filter-view.ts";
import { toTime } from "./run-view.ts";
import * as recordSchemas from "./record-schemas.ts";
import * as schemas from "./schemas.ts";

export function filterRoutes({ repository, authenticator }: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const onRequest = requireRole(authenticator, { role: "read" });

    app.get(
      "/tests",
      {
        onRequest,
        schema: {
          summary: "what there are runs of",
          response: { 200: recordSchemas.testList, ...schemas.errors },
        },
      },
      async (): Promise<TestListView> => {
        const tests = await repository.testsWithRuns();
        return {
          tests: tests.map(({ name, runs, lastRunMs }) => ({
            name,
            runs,
            lastRun: toTime(lastRunMs),
          })),
        };
      },
    );

    app.get(
      "/tags",
      {
        onRequest,
        schema: {
          summary: "what runs are tagged with",
          response: { 200: recordSchemas.tagList, ...schemas.errors },
        },
      },
      async (): Promise<TagListView> => ({ tags: await repository.tags() }),
    );
  };
}

/**
 * The routes that say what a list of runs can be filtered by: `/api/v1/tests` and `/api/v1/tags`.
 */
import type { FastifyPluginAsync } from "fastify";
import { requireRole } from "../authenticate.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { toTime } from "./run-view.ts";
import * as schemas from "./schemas.ts";

export interface TestListView {
  /** The one with the newest run first; at most 1 000. */
  readonly tests: readonly {
    readonly name: string;
    readonly runs: number;
    readonly lastRun: string;
  }[];
}

export interface TagListView {
  /** Of the newest 10 000 runs, by name; at most 50 values each, the latest first. */
  readonly tags: readonly { readonly name: string; readonly values: readonly string[] }[];
}

export function facetRoutes({ repository, authenticator }: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const onRequest = requireRole(authenticator, { role: "read" });

    app.get(
      "/tests",
      {
        onRequest,
        schema: {
          summary: "what there are runs of",
          response: { 200: schemas.testList, ...schemas.errors },
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
          response: { 200: schemas.tagList, ...schemas.errors },
        },
      },
      async (): Promise<TagListView> => ({ tags: await repository.tags() }),
    );
  };
}

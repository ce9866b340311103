/**
 * What the store knows of a run: charts and tables. The page never sees the store or its credentials.
 */
import type { FastifyPluginAsync } from "fastify";
import type { ChartSetName } from "../../charts/chart-data.ts";
import { principalOf, requireRole } from "../authenticate.ts";
import { chartErrors, chartQuery, chartSet } from "./chart-schemas.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { findOwnRun } from "./find-run.ts";
import { runParams } from "./schemas.ts";
import { runTables } from "./table-schemas.ts";

interface RunParams {
  readonly id: string;
}

interface ChartQuery {
  readonly set: ChartSetName;
  readonly from?: string;
  readonly to?: string;
  readonly step?: number;
  readonly points: number;
  readonly only?: readonly string[];
}

export function chartRoutes({
  repository,
  authenticator,
  charts,
}: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    const followers = requireRole(authenticator, { role: "push", orRun: true, orShare: true });

    app.get<{ Params: RunParams; Querystring: ChartQuery }>(
      "/runs/:id/charts",
      {
        onRequest: followers,
        schema: {
          summary: "courses of a run, from the store that has its samples",
          params: runParams,
          querystring: chartQuery,
          response: { 200: chartSet, ...chartErrors },
        },
      },
      async (request) => {
        const run = await findOwnRun(repository, request.params.id, principalOf(request));
        const { set, from, to, step, points, only } = request.query;
        return await charts.charts(run, set, {
          ...(from !== undefined && { fromMs: Date.parse(from) }),
          ...(to !== undefined && { toMs: Date.parse(to) }),
          ...(step !== undefined && { stepSeconds: step }),
          points,
          ...(only && { only }),
        });
      },
    );

    app.get<{ Params: RunParams }>(
      "/runs/:id/tables",
      {
        onRequest: followers,
        schema: {
          summary: "endpoints, scenarios, groups, checks and errors of a run, from its beginning",
          params: runParams,
          response: { 200: runTables, ...chartErrors },
        },
      },
      async (request) =>
        await charts.tables(await findOwnRun(repository, request.params.id, principalOf(request))),
    );
  };
}

/**
 * Two runs beside each other, of what their records and their stores have.
 */
import type { FastifyPluginAsync } from "fastify";
import { compareRuns, type ComparedRun } from "../../analyse/compare-runs.ts";
import { stepFor } from "../../charts/times.ts";
import type { RunRecord } from "../../runs/run-record.ts";
import { principalOf, requireRole } from "../authenticate.ts";
import { chartErrors, compareQuery, comparison } from "./chart-schemas.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { findOwnRun } from "./find-run.ts";

interface CompareQuery {
  readonly base: string;
  readonly run: string;
  readonly points: number;
}

export function compareRoute({
  repository,
  authenticator,
  charts,
  clock,
}: ApiDependencies): FastifyPluginAsync {
  return async (app) => {
    app.get<{ Querystring: CompareQuery }>(
      "/compare",
      {
        onRequest: requireRole(authenticator, { role: "read" }),
        schema: {
          summary: "two runs beside each other, from the same start",
          querystring: compareQuery,
          response: { 200: comparison, ...chartErrors },
        },
      },
      async (request) => {
        const { base, run, points } = request.query;
        const find = (name: string): Promise<RunRecord> =>
          findOwnRun(repository, name, principalOf(request));
        const records = await Promise.all([find(base), find(run)]);
        const stepSeconds = stepFor(Math.max(...records.map(secondsOf)), points);
        const ask = async (record: RunRecord): Promise<ComparedRun> => {
          const [set, tables] = await Promise.all([
            charts.charts(record, "run", { stepSeconds }),
            charts.tables(record),
          ]);
          return { record, charts: set, tables };
        };
        const [first, second] = await Promise.all([ask(records[0]), ask(records[1])]);
        return compareRuns(first, second);
      },
    );

    function secondsOf({ startedMs, createdMs, endedMs }: RunRecord): number {
      return ((endedMs ?? clock.nowMs()) - (startedMs ?? createdMs)) / 1_000;
    }
  };
}

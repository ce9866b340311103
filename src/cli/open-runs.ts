/**
 * Opens the runs that a command line means: those of `--server`, else those of the store of this machine.
 */
import { createRunCharts } from "../charts/run-charts.ts";
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import type { Store } from "../query/store.ts";
import { openRepository } from "../store/open-repository.ts";
import { runFilesIn } from "../server/run-files.ts";
import { openQueryStore } from "./open-query-store.ts";
import { runsOfServer } from "./runs-of-server.ts";
import { runsOfStore } from "./runs-of-store.ts";
import type { RunsAccess } from "./runs-access.ts";

type RunOptions = Pick<Options, "server" | "token" | "dataDir" | "databaseUrl">;

/**
 * @param store to ask for charts of the runs of this machine; a server has its own
 * @throws DatabaseError, UsageError (a server without a token)
 */
export async function openRuns(
  { server, token, dataDir, databaseUrl }: RunOptions,
  store?: Store,
): Promise<RunsAccess> {
  if (server !== undefined) return runsOfServer(server, token);
  const repository = await openRepository({ dataDir, databaseUrl, clock: systemClock });
  return runsOfStore(repository, runFilesIn(dataDir), store && createRunCharts(store));
}

/**
 * As `openRuns`, and the store is asked where there is no server to ask for it.
 *
 * @throws also what `openQueryStore` throws
 */
export async function openChartedRuns(options: Options): Promise<RunsAccess> {
  if (options.server !== undefined) return await openRuns(options);
  const store = await openQueryStore(options, systemClock);
  const runs = await openRuns(options, store);
  return {
    ...runs,
    async [Symbol.asyncDispose]() {
      await runs[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

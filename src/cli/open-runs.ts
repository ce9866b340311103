/**
 * Opens the runs that a command line means: those of `--server`, else those of the store of this machine.
 */
import { createRunCharts } from "../charts/run-charts.ts";
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import type { Store } from "../query/store.ts";
import { openRepository } from "../store/open-repository.ts";
import { runFilesIn } from "../server/run-files.ts";
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

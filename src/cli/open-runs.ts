/**
 * Opens the runs that a command line means: those of `--server`, else those of the store of this machine.
 */
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import { openRepository } from "../store/open-repository.ts";
import { runFilesIn } from "../server/run-files.ts";
import { runsOfServer } from "./runs-of-server.ts";
import { runsOfStore } from "./runs-of-store.ts";
import type { RunsAccess } from "./runs-access.ts";

/** @throws DatabaseError, UsageError (a server without a token) */
export async function openRuns({
  server,
  token,
  dataDir,
  databaseUrl,
}: Pick<Options, "server" | "token" | "dataDir" | "databaseUrl">): Promise<RunsAccess> {
  if (server !== undefined) return runsOfServer(server, token);
  const repository = await openRepository({ dataDir, databaseUrl, clock: systemClock });
  return runsOfStore(repository, runFilesIn(dataDir));
}

/**
 * Opens the store of runs for a command that may not need it: loading a database takes time that all others do without.
 *
 * A module of its own, because TypeScript 6.0 leaves the name of a module that is imported in a function with `await
 * using` as it is, and there is no `.ts` file in `dist/`.
 */
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import type { RunRepository } from "../runs/run-repository.ts";

/** @throws DatabaseError */
export async function openStore(
  { dataDir, databaseUrl }: Pick<Options, "dataDir" | "databaseUrl">,
  { isImpatient = false }: { readonly isImpatient?: boolean } = {},
): Promise<RunRepository> {
  const { openRepository } = await import("../store/open-repository.ts");
  return await openRepository({ dataDir, databaseUrl, clock: systemClock, isImpatient });
}

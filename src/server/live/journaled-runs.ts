/**
 * The runs whose journals are in a data directory.
 *
 * A journal of a run that the database does not know is set aside, as `….unknown`: the run was deleted, or the database is
 * one from before it, and the samples are somebody's.
 */
import { readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import type { RunRecord } from "../../runs/run-record.ts";
import type { RunRepository } from "../../runs/run-repository.ts";
import { journalPath } from "./journal.ts";

/** @param onSetAside Is told where the journal was. */
export async function findJournaledRuns(
  directory: string,
  repository: RunRepository,
  onSetAside: (path: string) => void,
): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const name of readdirSync(directory)) {
    const id = /^(\d+)(?:-\w+)?\.journal$/.exec(name)?.[1];
    if (id === undefined) continue;
    const run = await repository.run(Number(id));
    // Its number may be another run's by now.
    if (run && name === basename(journalPath(directory, run))) {
      runs.push(run);
    } else {
      const path = join(directory, name);
      renameSync(path, `${path}.unknown`);
      onSetAside(path);
    }
  }
  return runs;
}

/**
 * Gives the files of a data directory from before `server.json` their names: there, a run's number was all of it.
 */
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { RunRepository } from "../../runs/run-repository.ts";
import { runFileName } from "../run-files.ts";

/** What is of no run that the database knows keeps its name. The folders are there. */
export async function renameNumberedFiles(
  dataDir: string,
  repository: RunRepository,
): Promise<void> {
  for (const folder of ["journals", "logs", "archives"]) {
    const directory = join(dataDir, folder);
    for (const name of readdirSync(directory)) {
      const [, id, ending] = /^(\d+)(\.(?:journal|jsonl|tar))$/.exec(name) ?? [];
      const run = id === undefined ? undefined : await repository.run(Number(id));
      if (run) renameSync(join(directory, name), join(directory, `${runFileName(run)}${ending}`));
    }
  }
}

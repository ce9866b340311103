/**
 * `plimsoll backup FILE`: a copy of the embedded store, whole by itself, while a server goes on using it.
 */
import { resolve } from "node:path";
import { Command } from "commander";
import type { CommandIo } from "./command-io.ts";
import { openStore } from "./open-store.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";

export function backupCommand(io: CommandIo): Command {
  const command = new Command("backup")
    .description("copy the embedded store of runs to a file, also while a server is using it")
    .argument("<file>", "where to; must not exist yet");
  addOptionFlags(command, "dataDir", "databaseUrl");
  return command
    .addHelpText(
      "after",
      `
To restore: stop the server, remove plimsoll.db-wal and plimsoll.db-shm from the data directory, and put the file in the
place of plimsoll.db. Logs and archives are files beside it, and a Postgres is backed up with pg_dump.

Example:
  plimsoll backup /backups/plimsoll-$(date +%F).db`,
    )
    .action(async (file: string) => {
      const { values: options } = resolveCommandOptions(command, io);
      await using repository = await openStore(options);
      const path = resolve(io.cwd, file);
      await repository.backup(path);
      io.stderr.write(`plimsoll: the runs are in ${path}\n`);
    });
}

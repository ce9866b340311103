/**
 * `disk`: writes and fsyncs beside the database's data, so that its commits wait for the same disk.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";

/** Threads that write, each a file of its own. */
const writers = 4;

/** @param {{ database: import("../database.mjs").Database, folder?: string }} parts */
export function createDiskFault({ database, folder }) {
  return {
    async start() {
      const own = await mkdtemp(join(folder ?? (await folderBeside(database)), "shop-disk-fault-"));
      const program = new URL("disk-writer.mjs", import.meta.url);
      const workers = Array.from(
        { length: writers },
        (_, index) => new Worker(program, { workerData: join(own, `${index}`) }),
      );
      for (const worker of workers) worker.on("error", (error) => console.error(error));
      return async () => {
        await Promise.all(workers.map((worker) => worker.terminate()));
        await rm(own, { recursive: true, force: true });
      };
    },
  };
}

/** Above the database's data where we may write there; else the folder for temporary files. */
async function folderBeside(database) {
  const { rows } = await database.use((query) => query("SHOW data_directory"));
  const folder = dirname(rows[0].data_directory);
  try {
    await access(folder, constants.W_OK);
    return folder;
  } catch {
    // On another machine, or somebody else's.
    return tmpdir();
  }
}

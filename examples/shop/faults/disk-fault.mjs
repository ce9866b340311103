/**
 * `disk`: writes and fsyncs beside the database's data, so that its commits wait for the same disk.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Files that are written at the same time, 64 MiB each. */
const files = 8;

/** @param {{ database: import("../database.mjs").Database, folder?: string }} parts */
export function createDiskFault({ database, folder }) {
  return {
    async start() {
      const own = await mkdtemp(join(folder ?? (await folderBeside(database)), "shop-disk-fault-"));
      const program = fileURLToPath(new URL("disk-writer.mjs", import.meta.url));
      const paths = Array.from({ length: files }, (_, index) => join(own, `${index}`));
      // A process of its own: its threads would compete with the shop's.
      const child = spawn(process.execPath, [program, ...paths], {
        stdio: ["pipe", "ignore", "inherit"],
        // Each write holds a thread of the pool.
        env: { ...process.env, UV_THREADPOOL_SIZE: String(files) },
      });
      const exited = once(child, "exit");
      return async () => {
        child.kill("SIGKILL");
        await exited;
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

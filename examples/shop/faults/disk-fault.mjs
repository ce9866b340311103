/**
 * `disk`: writes and fsyncs beside the database's data, so that its commits wait for the same disk.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Files that are written at the same time, 64 MiB each. */
const files = 8;

/** Before the shop's process id in a folder's name. */
const prefix = "shop-disk-fault-";

/** @param {{ database: import("../database.mjs").Database, folder?: string }} parts */
export function createDiskFault({ database, folder }) {
  return {
    async start() {
      const parent = folder ?? (await folderBeside(database));
      await removeStale(parent);
      const own = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
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

/** What shops that were killed have left there. */
async function removeStale(parent) {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    // In a container every shop has the same id, and no shop has two such folders.
    if (pid !== process.pid && isAlive(pid)) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: another user's.
    return error.code === "EPERM";
  }
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

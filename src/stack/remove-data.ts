/**
 * Removes what the stack has stored, and nothing else: whatever lies beside it in the folder stays.
 */
import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StackError, systemErrorCode } from "../errors.ts";
import { isRunning } from "../process-identity.ts";
import { services } from "./services.ts";
import { lockFolder, readState } from "./state.ts";

/** What `up` makes in the stack's folder, beside the data of services. The state comes last: it knows what runs. */
const ownFiles = ["logs", "prometheus.yml", "state.json"];

/**
 * @returns the paths that were removed
 * @throws StackError if the stack is up
 */
export async function removeData(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const lock = lockFolder(folder);
  try {
    if (readState(folder)?.services.some(isRunning) === true) {
      throw new StackError(`the stack in ${JSON.stringify(folder)} is up; end it first`);
    }
    const dataFolders = services.flatMap(({ dataFolder }) => dataFolder?.(folder) ?? []);
    const paths = [...dataFolders, ...ownFiles.map((file) => join(folder, file))].filter(
      existsSync,
    );
    for (const path of paths) await rm(path, { recursive: true, force: true });
    for (const path of dataFolders) await removeIfEmpty(dirname(path));
    return paths;
  } finally {
    lock[Symbol.dispose]();
    await removeIfEmpty(folder);
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}

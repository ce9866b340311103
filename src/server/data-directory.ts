/**
 * Whose a server's data directory is: `server.json`, made at the first start.
 *
 *     {"id":"<the server's>","databaseId":"<of its runs>"}
 *
 * The runs in the database belong to the server's id, wherever it listens; the journals, logs and archives beside this file
 * are of runs of that database. With another one they would be nobody's, so that a server does not start.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseError, systemErrorCode } from "../errors.ts";

/**
 * The id of the server whose directory it is. The caller has locked the directory.
 *
 * @param prepare Brings a directory that is no server's yet up to date. Where it rejects, or the process dies, the
 * directory stays as new as it was, so that it may be called again.
 * @throws DatabaseError where it is of another database, or its file is damaged
 */
export async function openDataDirectory(
  dataDir: string,
  databaseId: string,
  prepare: () => Promise<void>,
): Promise<string> {
  const path = join(dataDir, "server.json");
  const found = read(path);
  if (found === undefined) {
    await prepare();
    const id = randomUUID();
    const text = `${JSON.stringify({ id, databaseId })}\n`;
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    return id;
  }
  if (found.databaseId !== databaseId) {
    throw new DatabaseError(
      `the data directory ${JSON.stringify(dataDir)} is of another database (${found.databaseId}, expected ${databaseId}): ` +
        "name the database that it was used with, or another directory with --data-dir; where this database is to take its " +
        `place, remove ${JSON.stringify(path)}, and the journals of runs that it does not know are set aside; no run was taken up`,
    );
  }
  return found.id;
}

/** Undefined where there is none. */
function read(path: string): { readonly id: string; readonly databaseId: string } | undefined {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  const { id, databaseId } = (content ?? {}) as Record<string, unknown>;
  if (typeof id === "string" && typeof databaseId === "string") return { id, databaseId };
  throw new DatabaseError(
    `${JSON.stringify(path)} is damaged: put it back from a backup, or remove it, and the server is a new one, to which ` +
      "only the runs belong whose journals are beside it; no run was taken up",
  );
}

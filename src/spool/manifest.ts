/**
 * Says whose a spool folder is, for people and for `plimsoll replay`: `spool.json`, one JSON object.
 *
 * It holds no credentials, no headers and no query string, and nothing depends on it: a folder without one, or
 * with a damaged one, is sent like any other.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SpoolError, systemErrorCode } from "../errors.ts";

const formatVersion = 1;

export interface SpoolManifest {
  readonly testid: string;
  readonly test: string;
  /** Where it was going to: no credentials, no query string. */
  readonly url: string;
  /** ISO 8601, when the folder was made. */
  readonly created: string;
}

const pathIn = (directory: string): string => join(directory, "spool.json");

/**
 * `undefined` where there is none, or it is damaged.
 *
 * @throws SpoolError where a later Plimsoll has changed what a spool folder is.
 */
export function readManifest(directory: string): SpoolManifest | undefined {
  const path = pathIn(directory);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { format, testid, test, url, created } = (content ?? {}) as Record<string, unknown>;
  if (Number.isInteger(format) && Number(format) > formatVersion) {
    throw new SpoolError(
      `spool folder ${JSON.stringify(directory)} is of a newer Plimsoll (format ${Number(format)}, expected at most ` +
        `${formatVersion}); nothing of it was sent or changed: send it with that version`,
    );
  }
  const texts = [testid, test, url, created];
  if (!texts.every((text) => typeof text === "string")) return undefined;
  if (Number.isNaN(Date.parse(String(created)))) return undefined;
  return { testid, test, url, created } as SpoolManifest;
}

/** Does not throw for a disk that is full: the folder serves without it. */
export function writeManifest(directory: string, manifest: SpoolManifest): void {
  const path = pathIn(directory);
  const text = `${JSON.stringify({ format: formatVersion, ...manifest }, null, 2)}\n`;
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

/** Does not throw where the folder cannot be written. */
export function removeManifest(directory: string): void {
  const path = pathIn(directory);
  try {
    for (const file of [path, `${path}.new`]) rmSync(file, { force: true });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

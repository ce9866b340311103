/**
 * Looks into spool folders without taking them: what runs have left behind, and what they are writing.
 *
 * In:  the folder that holds them. Out: an entry per spool, the longest waiting first. Changes nothing.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, SpoolError, systemErrorCode } from "../errors.ts";
import { lockOwner } from "./directory-lock.ts";
import { readManifest, type SpoolManifest } from "./manifest.ts";
import { expectNoQueue, queueFolders, queuesIn } from "./queue-folders.ts";
import { sumPending } from "./run-spool.ts";
import { type PendingCounts, scanQueue } from "./scan.ts";

export interface SpoolListing {
  readonly directory: string;
  /** Absent in folders of before there was one, and where it is damaged. */
  readonly manifest: SpoolManifest | undefined;
  /** The running process that has the folder. */
  readonly ownerPid: number | undefined;
  readonly queues: number;
  readonly pending: PendingCounts;
  /** Requests that were written and cannot be read. */
  readonly corruptRecords: number;
  /** Of what is pending, Unix milliseconds; `undefined` where nothing is. */
  readonly minTimestampMs: number | undefined;
  readonly maxTimestampMs: number | undefined;
  /** Why it cannot be sent: of a newer Plimsoll, no permission. The counts are then 0. */
  readonly problem: string | undefined;
}

/**
 * Empty where there is no such folder. Reads all that is pending: about a second per GiB.
 *
 * @param except A spool that is left out.
 */
export async function listSpools(spoolDir: string, except?: string): Promise<SpoolListing[]> {
  const listings: SpoolListing[] = [];
  for (const directory of namesIn(spoolDir).map((name) => join(spoolDir, name))) {
    const listing = directory === except ? undefined : await inspectSpool(directory);
    if (listing !== undefined) listings.push(listing);
  }
  return listings.sort((a, b) => (a.minTimestampMs ?? Infinity) - (b.minTimestampMs ?? Infinity));
}

/** `undefined` for what is no spool, or has gone meanwhile. */
export async function inspectSpool(directory: string): Promise<SpoolListing | undefined> {
  try {
    if (!statSync(directory).isDirectory()) return undefined;
    const queues = queuesIn(directory);
    if (queues === undefined) return undefined;
    expectNoQueue(directory);
    const manifest = readManifest(directory);
    const ownerPid = lockOwner(directory);
    const scans = [];
    for (const folder of queueFolders(directory, queues)) {
      scans.push(await scanQueue(folder, "read"));
    }
    const minTimestampMs = Math.min(...scans.map((scan) => scan.minTimestampMs));
    const maxTimestampMs = Math.max(...scans.map((scan) => scan.maxTimestampMs));
    return {
      directory,
      manifest,
      ownerPid,
      queues,
      pending: sumPending(scans.map(({ pending }) => pending)),
      corruptRecords: scans.reduce((total, { corruptRecords }) => total + corruptRecords, 0),
      minTimestampMs: Number.isFinite(minTimestampMs) ? minTimestampMs : undefined,
      maxTimestampMs: Number.isFinite(maxTimestampMs) ? maxTimestampMs : undefined,
      problem: undefined,
    };
  } catch (error) {
    const code = systemErrorCode(error);
    // Its run has delivered the rest and left.
    if (code === "ENOENT") return undefined;
    if (!(error instanceof SpoolError) && code === undefined) throw error;
    return {
      directory,
      manifest: undefined,
      ownerPid: undefined,
      queues: 0,
      pending: sumPending([]),
      corruptRecords: 0,
      minTimestampMs: undefined,
      maxTimestampMs: undefined,
      problem: messageOf(error),
    };
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/**
 * What runs have left in their spools, without taking or changing anything.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../errors.ts";
import { ownerOf } from "./directory-lock.ts";
import { readPosition } from "./position.ts";
import { parseSegmentName, Segment } from "./segment.ts";

export interface LeftSpool {
  readonly directory: string;
  /** The process that is at work there. Then what is in it is not looked at, and all counts are 0. */
  readonly owner: number | undefined;
  readonly requests: number;
  readonly points: number;
  /** Unix milliseconds; 0 where there are no points. */
  readonly oldestMs: number;
  readonly newestMs: number;
}

/**
 * The folders in `spoolDir` that hold something that was not acknowledged, by name. None where there is no such folder.
 *
 * @throws Error of the operating system where a folder cannot be read
 */
export function listSpools(spoolDir: string): LeftSpool[] {
  return namesIn(spoolDir)
    .toSorted()
    .map((name) => join(spoolDir, name))
    .filter((directory) => namesIn(directory).some((name) => parseSegmentName(name) !== undefined))
    .map(lookInto)
    .filter(({ requests, owner }) => requests > 0 || owner !== undefined);
}

function lookInto(directory: string): LeftSpool {
  const owner = ownerOf(directory);
  let requests = 0;
  let points = 0;
  let oldestMs = Infinity;
  let newestMs = 0;
  const firstSequences = namesIn(directory)
    .flatMap((name) => parseSegmentName(name) ?? [])
    .sort((a, b) => a - b);
  const acknowledged = readPosition(directory) ?? 0;
  for (const first of owner === undefined ? firstSequences : []) {
    const segment = new Segment(directory, first);
    let offset = 0;
    let expected = first;
    for (let found; (found = segment.next(offset, expected)) !== undefined;) {
      const { batch, endOffset } = found;
      offset = endOffset;
      expected = batch.sequence + 1;
      if (batch.sequence <= acknowledged) continue;
      requests += 1;
      points += batch.samples + batch.histograms;
      oldestMs = Math.min(oldestMs, batch.minTimestampMs);
      newestMs = Math.max(newestMs, batch.maxTimestampMs);
    }
    segment.release();
  }
  return { directory, owner, requests, points, oldestMs: points > 0 ? oldestMs : 0, newestMs };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

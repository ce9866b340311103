/**
 * Reads what lies in a queue's folder: every segment once, each record checked.
 *
 * In:  a folder of `<first sequence>.segment` files and a `position.json`, in whatever state a crash left them.
 * Out: what is not acknowledged, what is damaged, and where writing goes on. Changes nothing, so it serves
 * `Spool.open` as well as a look at a folder that another process writes.
 */
import { readdirSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemErrorCode } from "../errors.ts";
import { readPosition } from "./position.ts";
import { recordHeaderBytes } from "./record.ts";
import { parseSegmentName, Segment, type SegmentAccess } from "./segment.ts";

/** Batches that are not acknowledged. */
export interface PendingCounts {
  readonly batches: number;
  readonly samples: number;
  readonly histograms: number;
  /** On disk, record headers included. */
  readonly bytes: number;
}

export interface QueueScan {
  /** Oldest first, their files closed. */
  readonly segments: readonly Segment[];
  readonly acknowledged: number;
  readonly nextSequence: number;
  readonly pending: PendingCounts;
  /** Oldest and newest timestamp of what is pending, Unix milliseconds: infinite where nothing is. */
  readonly minTimestampMs: number;
  readonly maxTimestampMs: number;
  /** Batches that were written and cannot be read: damaged, or in a segment that is gone. */
  readonly corruptRecords: number;
  /** In the last segment: the end of its last intact record. */
  readonly endOffset: number;
}

/**
 * @param access How the segments are opened.
 * @throws SpoolError where a later Plimsoll has written.
 */
export async function scanQueue(directory: string, access: SegmentAccess): Promise<QueueScan> {
  const position = readPosition(directory);
  const firstSequences = namesIn(directory, access)
    .map(parseSegmentName)
    .filter((sequence) => sequence !== undefined)
    .sort((a, b) => a - b);
  // Without a position, reading begins at the first segment there is.
  const acknowledged = position ?? (firstSequences[0] ?? 1) - 1;
  const segments: Segment[] = [];
  let nextSequence = acknowledged + 1;
  let [batches, samples, histograms, bytes] = [0, 0, 0, 0];
  let [minTimestampMs, maxTimestampMs] = [Infinity, -Infinity];
  let corruptRecords = 0;
  let endOffset = 0;
  for (const firstSequence of firstSequences) {
    const segment = openSegment(directory, firstSequence, access);
    if (segment === undefined) continue;
    segments.push(segment);
    endOffset = 0;
    let expected = firstSequence;
    try {
      for (let found; (found = segment.next(endOffset, expected)) !== undefined;) {
        const { batch } = found;
        if (batch.sequence > acknowledged) {
          corruptRecords += batch.sequence - nextSequence;
          nextSequence = batch.sequence + 1;
          batches += 1;
          samples += batch.samples;
          histograms += batch.histograms;
          bytes += recordHeaderBytes + batch.body.byteLength;
          minTimestampMs = Math.min(minTimestampMs, batch.minTimestampMs);
          maxTimestampMs = Math.max(maxTimestampMs, batch.maxTimestampMs);
        }
        expected = batch.sequence + 1;
        endOffset = found.endOffset;
      }
    } finally {
      segment.release();
    }
    // A full spool takes about a second to check: let others work between its segments.
    await nextTurn();
  }
  const pending = { batches, samples, histograms, bytes };
  const range = { minTimestampMs, maxTimestampMs };
  return {
    segments,
    acknowledged,
    nextSequence,
    pending,
    ...range,
    corruptRecords,
    endOffset,
  };
}

/** A queue that its owner has emptied may be gone. */
function namesIn(directory: string, access: SegmentAccess): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (access === "read" && systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** `undefined` where its owner has removed it since we looked. */
function openSegment(
  directory: string,
  firstSequence: number,
  access: SegmentAccess,
): Segment | undefined {
  try {
    return new Segment(directory, firstSequence, access);
  } catch (error) {
    if (access === "read" && systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

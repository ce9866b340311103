/**
 * The bytes of one record of a run's journal.
 *
 * A record, little-endian:
 *
 *   offset  size
 *        0     4  magic "PLMJ"
 *        4     2  format version, 1
 *        6     2  reserved, 0
 *        8     4  length m of the description
 *       12     4  length n of the body
 *       16     4  CRC-32 (zlib's polynomial) of the bytes 0 to 15, the description and the body
 *       20     m  description: an entry in JSON
 *     20+m     n  body: of a push, as it arrived
 */
import { crc32 } from "node:zlib";
import type { RemoteWriteProtocol } from "../../encode/encoded-batch.ts";
import type { TrendForm } from "../../encode/prometheus-mapper.ts";
import type { ThresholdResult } from "../../output/run-series.ts";
import type { ReportedEnd } from "../../runs/run-service.ts";
import type { RunState } from "../../runs/run-state.ts";

/** What happened to a run, in the order in which it counts. */
export type JournalEntry =
  /** What the journal begins with. Times are Unix milliseconds. */
  | {
      readonly kind: "begin";
      /** No sample is taken to be older. */
      readonly earliestMs: number;
      /** Of the run's first sample, where samples have been stored that this journal does not have. */
      readonly startedMs: number | undefined;
    }
  | {
      readonly kind: "push";
      readonly atMs: number;
      readonly key: string;
      readonly instance: string;
    }
  /** Intervals that end up to `untilMs` are closed. */
  | { readonly kind: "close"; readonly untilMs: number; readonly atMs: number }
  /** How the run ended, by its creator's word: to be judged, and written into the record. */
  | { readonly kind: "report"; readonly end: ReportedEnd }
  /** The run is over, and all that has come is written. */
  | {
      readonly kind: "end";
      readonly atMs: number;
      readonly state: RunState;
      readonly thresholds: readonly ThresholdResult[];
    }
  /** What is sent to an output, for as long as the run lasts. */
  | {
      readonly kind: "output";
      readonly output: string;
      readonly protocol: RemoteWriteProtocol;
      readonly trendForm: TrendForm;
    }
  /** The output's spool has every point that the records up to this number make. */
  | { readonly kind: "spooled"; readonly output: string; readonly number: number }
  /** Somebody wants the run to stop. */
  | { readonly kind: "stop"; readonly by: string };

export interface JournalRecord {
  readonly entry: JournalEntry;
  /** Empty but for a push. */
  readonly body: Buffer;
}

export const recordHeaderBytes = 20;
const magic = Buffer.from("PLMJ", "latin1");
const formatVersion = 1;
const checksumOffset = 16;

export function encodeJournalRecord({ entry, body }: JournalRecord): Buffer {
  const description = Buffer.from(JSON.stringify(entry));
  const record = Buffer.alloc(recordHeaderBytes + description.length + body.length);
  magic.copy(record);
  record.writeUInt16LE(formatVersion, 4);
  record.writeUInt32LE(description.length, 8);
  record.writeUInt32LE(body.length, 12);
  description.copy(record, recordHeaderBytes);
  body.copy(record, recordHeaderBytes + description.length);
  record.writeUInt32LE(checksum(record), checksumOffset);
  return record;
}

/** Not to be trusted before `decodeJournalRecord` has seen the whole record; undefined where none begins. */
export function journalRecordLength(header: Buffer): number | undefined {
  if (header.length < recordHeaderBytes || !header.subarray(0, 4).equals(magic)) return undefined;
  return recordHeaderBytes + header.readUInt32LE(8) + header.readUInt32LE(12);
}

/** `record` is as long as `journalRecordLength` says. Undefined for a damaged one, `newer` for one of a later Plimsoll. */
export function decodeJournalRecord(record: Buffer): JournalRecord | "newer" | undefined {
  if (checksum(record) !== record.readUInt32LE(checksumOffset)) return undefined;
  if (record.readUInt16LE(4) > formatVersion) return "newer";
  const bodyStart = recordHeaderBytes + record.readUInt32LE(8);
  // The checksum says that it is as we have written it.
  const entry = JSON.parse(record.toString("utf8", recordHeaderBytes, bodyStart)) as JournalEntry;
  return { entry, body: record.subarray(bodyStart) };
}

function checksum(record: Buffer): number {
  return crc32(record.subarray(recordHeaderBytes), crc32(record.subarray(0, checksumOffset)));
}

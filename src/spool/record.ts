/**
 * The bytes of one spooled batch, as `Spool` appends them and reads them back.
 *
 * In:  a batch and its sequence number, or bytes of unknown state.
 * Out: one record, or the batch in it; `undefined` for anything that is not a whole, intact record.
 *
 * Every version of the format keeps magic, version, payload length and checksum where they are, and what they
 * cover: so a record of a later Plimsoll is told from a damaged one.
 *
 * A record, little-endian:
 *
 *   offset  size
 *        0     4  magic "PLMS"
 *        4     1  format version, 1
 *        5     1  remote-write protocol, 1 or 2
 *        6     2  reserved, 0
 *        8     8  sequence number, unsigned
 *       16     4  payload length n
 *       20     4  float points in the payload
 *       24     4  native-histogram points in the payload
 *       28     8  oldest timestamp in the payload, signed Unix milliseconds
 *       36     8  newest timestamp
 *       44     4  CRC-32 (zlib's polynomial) of the bytes 0 to 43 and of the payload
 *       48     n  payload: the request's body as it is sent
 *
 * Counts and timestamps are in the header so that a reader can report or expire a batch without decoding it.
 */
import { crc32 } from "node:zlib";
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import type { SpooledBatch } from "./spooled-batch.ts";

export const recordHeaderBytes = 48;

/** What a record begins with; a reader that lost its place looks for it. */
export const recordMagic: Buffer = Buffer.from("PLMS", "latin1");

const formatVersion = 1;
const versionOffset = 4;
const checksumOffset = 44;

/** Never compressed or split: a record is as long as its header and the batch's body together. */
export function encodeRecord(batch: EncodedBatch, sequence: number): Buffer {
  const record = Buffer.alloc(recordHeaderBytes + batch.body.byteLength);
  recordMagic.copy(record);
  record.writeUInt8(formatVersion, versionOffset);
  record.writeUInt8(batch.protocol === "1" ? 1 : 2, 5);
  record.writeBigUInt64LE(BigInt(sequence), 8);
  record.writeUInt32LE(batch.body.byteLength, 16);
  record.writeUInt32LE(batch.samples, 20);
  record.writeUInt32LE(batch.histograms, 24);
  record.writeBigInt64LE(BigInt(batch.minTimestampMs), 28);
  record.writeBigInt64LE(BigInt(batch.maxTimestampMs), 36);
  record.set(batch.body, recordHeaderBytes);
  record.writeUInt32LE(checksum(record), checksumOffset);
  return record;
}

/**
 * How long the record is that `header` begins, header included; `undefined` where no record begins. The
 * length is not to be trusted before `decodeRecord` has seen the whole record.
 */
export function recordLength(header: Buffer): number | undefined {
  if (header.length < recordHeaderBytes || !header.subarray(0, 4).equals(recordMagic)) {
    return undefined;
  }
  if (header.readUInt8(versionOffset) < formatVersion) return undefined;
  return recordHeaderBytes + header.readUInt32LE(16);
}

/**
 * `record` is exactly as long as `recordLength` says. The batch's body is a view of it, not a copy.
 *
 * @returns `newer` for an intact record of a format that this version does not know.
 */
export function decodeRecord(record: Buffer): SpooledBatch | "newer" | undefined {
  if (checksum(record) !== record.readUInt32LE(checksumOffset)) return undefined;
  if (record.readUInt8(versionOffset) > formatVersion) return "newer";
  return {
    protocol: record.readUInt8(5) === 1 ? "1" : "2",
    sequence: Number(record.readBigUInt64LE(8)),
    samples: record.readUInt32LE(20),
    histograms: record.readUInt32LE(24),
    minTimestampMs: Number(record.readBigInt64LE(28)),
    maxTimestampMs: Number(record.readBigInt64LE(36)),
    body: record.subarray(recordHeaderBytes),
  };
}

function checksum(record: Buffer): number {
  return crc32(record.subarray(recordHeaderBytes), crc32(record.subarray(0, checksumOffset)));
}

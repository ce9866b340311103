/** A spool that a later Plimsoll has written, found by this one. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import type { EncodedBatch } from "../../../src/encode/encoded-batch.ts";
import { SpoolError } from "../../../src/errors.ts";
import { inspectSpool } from "../../../src/spool/list-spools.ts";
import { encodeRecord, recordHeaderBytes } from "../../../src/spool/record.ts";
import { RunSpool } from "../../../src/spool/run-spool.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";

const batch: EncodedBatch = {
  protocol: "2",
  body: Buffer.from("body"),
  samples: 3,
  histograms: 1,
  minTimestampMs: 1,
  maxTimestampMs: 2,
};

/** An intact record of format 2. */
function newerRecord(): Buffer {
  const record = encodeRecord(batch, 2);
  record.writeUInt8(2, 4);
  const payload = record.subarray(recordHeaderBytes);
  record.writeUInt32LE(crc32(payload, crc32(record.subarray(0, 44))), 44);
  return record;
}

const filesIn = (directory: string) =>
  readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString("hex")]);

it.each([
  { what: "a record", file: "0000000000000001.segment", records: [1, 2], says: /newer Plimsoll/ },
  { what: "a manifest", file: "spool.json", records: [], says: /format 2, expected at most 1/ },
])("refuses a folder with $what of a later format, and changes nothing", async (found) => {
  await using folder = await createTemporaryFolder();
  const [first] = found.records;
  const content =
    first === undefined
      ? '{"format":2}'
      : Buffer.concat([encodeRecord(batch, 1), newerRecord(), Buffer.from("torn")]);
  writeFileSync(join(folder.path, found.file), content);
  const before = filesIn(folder.path);
  await expect(RunSpool.open(folder.path)).rejects.toThrow(SpoolError);
  await expect(RunSpool.open(folder.path)).rejects.toThrow(found.says);
  expect(filesIn(folder.path)).toEqual(before);
  expect((await inspectSpool(folder.path))?.problem).toMatch(found.says);
});

it("takes a record whose version is damaged for a damaged one", async () => {
  await using folder = await createTemporaryFolder();
  const damaged = encodeRecord(batch, 1);
  damaged.writeUInt8(129, 4);
  const segment = Buffer.concat([damaged, encodeRecord(batch, 2)]);
  writeFileSync(join(folder.path, "0000000000000001.segment"), segment);
  await using spool = await RunSpool.open(folder.path);
  expect(spool.recovered).toEqual({ batches: 1, truncatedBytes: 0, corruptRecords: 1 });
});

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  maxSafeInteger,
  nat,
  oneof,
  record,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodedBatch } from "../../../src/encode/encoded-batch.ts";
import { recordHeaderBytes } from "../../../src/spool/record.ts";
import { Spool } from "../../../src/spool/spool.ts";
import { createTemporaryFolder } from "../../support/temporary-folder.ts";
import { itWithTmpfs, mountTmpfs } from "../../support/tmpfs.ts";

const batchOf = (text: string): EncodedBatch => ({
  protocol: "2",
  body: Buffer.from(text),
  samples: 3,
  histograms: 1,
  minTimestampMs: 1_700_000_000_000,
  maxTimestampMs: 1_700_000_001_000,
});

/** Takes everything out, in order. */
function drain(spool: Spool): EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  for (let batch; (batch = spool.peek()) !== undefined;) {
    const { sequence, ...rest } = batch;
    batches.push({ ...rest, body: Buffer.from(rest.body) });
    spool.acknowledge(sequence);
  }
  return batches;
}

const texts = (batches: readonly EncodedBatch[]) =>
  batches.map(({ body }) => Buffer.from(body).toString());

const segmentsOf = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith(".segment"))
    .sort()
    .map((name) => join(directory, name));

/** The folder as a killed process leaves it. */
function copyAsAfterKill(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from))
    writeFileSync(join(to, name), readFileSync(join(from, name)));
}

const anyTimestamp = oneof(maxSafeInteger(), constantFrom(0, -1, 1_700_000_000_000));
const anyBatch = record({
  protocol: constantFrom("1" as const, "2" as const),
  body: oneof(
    uint8Array({ maxLength: 200 }),
    // What a reader that lost its place looks for.
    uint8Array({ maxLength: 20 }).map((rest) =>
      Buffer.concat([Buffer.from("PLMS\u0001\u0002"), rest]),
    ),
  ).map((bytes) => Buffer.from(bytes)),
  samples: nat(2 ** 32 - 1),
  histograms: nat(2 ** 32 - 1),
  minTimestampMs: anyTimestamp,
  maxTimestampMs: anyTimestamp,
});
const smallSegments = { segmentBytes: 300 };

describe("as a queue", () => {
  it("gives the batches back in order, unchanged, whatever they hold and however often it is reopened", async () => {
    await assert(
      asyncProperty(array(anyBatch, { maxLength: 20 }), nat(20), async (batches, readFirst) => {
        await using folder = await createTemporaryFolder();
        const directory = join(folder.path, "spool");
        const received: EncodedBatch[] = [];
        {
          await using spool = await Spool.open(directory, smallSegments);
          for (const batch of batches) spool.append(batch);
          for (let batch; received.length < readFirst && (batch = spool.peek());) {
            const { sequence, ...rest } = batch;
            received.push(rest);
            spool.acknowledge(sequence);
          }
        }
        await using spool = await Spool.open(directory, smallSegments);
        expect(spool.pending.batches).toBe(batches.length - received.length);
        expect([...received, ...drain(spool)]).toEqual(batches);
        expect(spool.pending).toEqual({ batches: 0, samples: 0, histograms: 0, bytes: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it("counts what is pending, and numbers batches without a gap across processes", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "spool");
    {
      await using spool = await Spool.open(directory);
      expect(spool.append(batchOf("a"))).toEqual({ kind: "appended", sequence: 1 });
      expect(spool.append(batchOf("bb"))).toEqual({ kind: "appended", sequence: 2 });
      spool.peek();
      spool.acknowledge(1);
    }
    await using spool = await Spool.open(directory);
    const bytes = recordHeaderBytes + 2;
    expect(spool.pending).toEqual({ batches: 1, samples: 3, histograms: 1, bytes });
    expect(spool.append(batchOf("c"))).toEqual({ kind: "appended", sequence: 3 });
    expect(texts(drain(spool))).toEqual(["bb", "c"]);
  });

  it("gives the same batch until it is acknowledged, and refuses the acknowledgement of another", async () => {
    await using folder = await createTemporaryFolder();
    await using spool = await Spool.open(join(folder.path, "spool"));
    spool.append(batchOf("a"));
    spool.append(batchOf("b"));
    expect(spool.peek()).toBe(spool.peek());
    expect(() => spool.acknowledge(2)).toThrow("batch 2 is acknowledged, but 1 is first");
    spool.acknowledge(1);
    expect(() => spool.acknowledge(1)).toThrow("but none is first");
  });

  it("removes a segment when its last batch is done", async () => {
    await using folder = await createTemporaryFolder();
    await using spool = await Spool.open(folder.path, { segmentBytes: 1 });
    for (const text of ["a", "b", "c"]) spool.append(batchOf(text));
    expect(segmentsOf(folder.path)).toHaveLength(3);
    drain(spool);
    expect(segmentsOf(folder.path)).toHaveLength(1);
  });

  it("leaves nothing behind when everything is acknowledged", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "runs", "spool");
    {
      await using spool = await Spool.open(directory);
      spool.append(batchOf("a"));
      drain(spool);
    }
    expect(existsSync(directory)).toBe(false);
  });

  it("keeps a file of others when it leaves", async () => {
    await using folder = await createTemporaryFolder();
    writeFileSync(join(folder.path, "notes.txt"), "");
    await (await Spool.open(folder.path)).close();
    expect(readdirSync(folder.path)).toEqual(["notes.txt"]);
  });

  it("leaves the position of a folder that is another process's alone, whatever is done", async () => {
    await using folder = await createTemporaryFolder();
    let isHeld = true;
    await using spool = await Spool.open(folder.path, { isHeld: () => isHeld });
    for (const text of ["a", "b"]) spool.append(batchOf(text));
    const position = () => readFileSync(join(folder.path, "position.json"), "utf8");
    const before = position();
    const { sequence } = spool.peek() ?? {};
    isHeld = false;
    spool.acknowledge(sequence ?? NaN);
    expect(position()).toBe(before);
    expect(spool.discard()).toMatchObject({ batches: 1 });
    expect(position()).toBe(before);
  });

  itWithTmpfs("sends what is in a folder that has become read-only", async () => {
    await using disk = await mountTmpfs(1024 ** 2);
    await using spool = await Spool.open(disk.path, { segmentBytes: 1 });
    for (const text of ["a", "b", "c", "d"]) spool.append(batchOf(text));
    execFileSync("mount", ["--bind", "-o", "ro", disk.path, disk.path]);
    try {
      expect(texts(drain(spool))).toEqual(["a", "b", "c", "d"]);
      expect(spool.append(batchOf("e"))).toMatchObject({
        kind: "refused",
        reason: "spool_failed",
        text: expect.stringContaining("EROFS"),
      });
    } finally {
      await spool.close();
      execFileSync("umount", [disk.path]);
    }
  });

  it("lets only this user read its files", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "spool");
    await using spool = await Spool.open(directory);
    spool.append(batchOf("a"));
    spool.append(batchOf("b"));
    spool.peek();
    spool.acknowledge(1);
    const files = readdirSync(directory);
    expect(files.toSorted()).toEqual(["0000000000000001.segment", "position.json"]);
    const modes = files.map((name) => statSync(join(directory, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });
});

describe("without room", () => {
  it("refuses what is beyond the limit, keeps the oldest, and takes more when there is room again", async () => {
    await using folder = await createTemporaryFolder();
    const limitBytes = 2 * (recordHeaderBytes + 1);
    await using spool = await Spool.open(folder.path, { limitBytes });
    expect(spool.append(batchOf("a")).kind).toBe("appended");
    expect(spool.append(batchOf("b")).kind).toBe("appended");
    expect(spool.append(batchOf("c"))).toEqual({
      kind: "refused",
      reason: "spool_full",
      text: "the spool's limit of 98 bytes is reached",
    });
    spool.acknowledge(spool.peek()?.sequence ?? 0);
    expect(spool.append(batchOf("d")).kind).toBe("appended");
    expect(texts(drain(spool))).toEqual(["b", "d"]);
  });

  it.skipIf(!existsSync("/dev/full"))("refuses a batch when the disk is full", async () => {
    await using folder = await createTemporaryFolder();
    symlinkSync("/dev/full", join(folder.path, "0000000000000001.segment"));
    await using spool = await Spool.open(folder.path);
    expect(spool.append(batchOf("a"))).toMatchObject({ kind: "refused", reason: "spool_full" });
    expect(spool.pending.batches).toBe(0);
  });
});

describe("after a crash", () => {
  it("reopens to a prefix of what was written, wherever the last segment is cut", async () => {
    await using folder = await createTemporaryFolder();
    const original = join(folder.path, "original");
    await using spool = await Spool.open(original, smallSegments);
    const written = Array.from({ length: 9 }, (_, index) => `batch ${index} `.repeat(index + 1));
    for (const text of written) spool.append(batchOf(text));
    const lastSegment = segmentsOf(original).at(-1) ?? "";
    const { size } = statSync(lastSegment);
    expect(size).toBeGreaterThan(recordHeaderBytes);
    for (let cutAt = 0; cutAt <= size; cutAt++) {
      const directory = join(folder.path, `cut-${cutAt}`);
      copyAsAfterKill(original, directory);
      truncateSync(segmentsOf(directory).at(-1) ?? "", cutAt);
      await using reopened = await Spool.open(directory, smallSegments);
      const { corruptRecords, batches, truncatedBytes } = reopened.recovered;
      expect({ corruptRecords, batches }).toEqual({
        corruptRecords: 0,
        batches: reopened.pending.batches,
      });
      expect(statSync(segmentsOf(directory).at(-1) ?? "").size).toBe(cutAt - truncatedBytes);
      // What is appended then comes behind it.
      reopened.append(batchOf("later"));
      const read = texts(drain(reopened));
      expect(read).toEqual([...written.slice(0, read.length - 1), "later"]);
      expect(read.length - 1).toBeGreaterThanOrEqual(cutAt === size ? written.length : 1);
    }
  });

  it("takes no old record for a new one where the disk shows old blocks behind the end", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "killed");
    await using spool = await Spool.open(join(folder.path, "original"));
    spool.append(batchOf("a"));
    spool.append(batchOf("b"));
    copyAsAfterKill(join(folder.path, "original"), directory);
    const [segment = ""] = segmentsOf(directory);
    const content = readFileSync(segment);
    const oldRecord = content.subarray(0, content.length / 2);
    writeFileSync(segment, Buffer.concat([content, oldRecord]));
    await using reopened = await Spool.open(directory);
    const truncatedBytes = oldRecord.length;
    expect(reopened.recovered).toEqual({ batches: 2, truncatedBytes, corruptRecords: 0 });
    expect(texts(drain(reopened))).toEqual(["a", "b"]);
  });

  it("loses the one batch with a flipped bit and no other", async () => {
    await assert(
      asyncProperty(nat(8), integer({ min: 0, max: 100_000 }), nat(7), async (victim, at, bit) => {
        await using folder = await createTemporaryFolder();
        const original = join(folder.path, "original");
        const directory = join(folder.path, "damaged");
        const written = Array.from({ length: 9 }, (_, index) => `batch ${index} `.repeat(9));
        await using spool = await Spool.open(original, smallSegments);
        for (const text of written) spool.append(batchOf(text));
        copyAsAfterKill(original, directory);

        const perSegment = 2; // 300 bytes hold two of these 120-byte records.
        const recordBytes = recordHeaderBytes + 72;
        const segment = segmentsOf(directory)[Math.floor(victim / perSegment)] ?? "";
        const content = readFileSync(segment);
        const offset = (victim % perSegment) * recordBytes + (at % recordBytes);
        content.writeUInt8(content.readUInt8(offset) ^ (1 << bit), offset);
        writeFileSync(segment, content);

        await using reopened = await Spool.open(directory, smallSegments);
        expect(reopened.recovered).toEqual(
          victim === written.length - 1
            ? { batches: 8, truncatedBytes: recordBytes, corruptRecords: 0 }
            : { batches: 8, truncatedBytes: 0, corruptRecords: 1 },
        );
        expect(texts(drain(reopened))).toEqual(written.filter((_, index) => index !== victim));
      }),
      { numRuns: 100 },
    );
  });

  it("sends again at most the batch that was in flight", async () => {
    await assert(
      asyncProperty(nat(9), boolean(), async (acknowledged, inFlight) => {
        await using folder = await createTemporaryFolder();
        const directory = join(folder.path, "killed");
        const written = Array.from({ length: 9 }, (_, index) => `batch ${index} `.repeat(5));
        await using spool = await Spool.open(join(folder.path, "original"), smallSegments);
        for (const text of written) spool.append(batchOf(text));
        for (let count = 0; count < acknowledged; count++) {
          spool.acknowledge(spool.peek()?.sequence ?? 0);
        }
        if (inFlight) spool.peek();
        copyAsAfterKill(join(folder.path, "original"), directory);
        await using reopened = await Spool.open(directory, smallSegments);
        expect(texts(drain(reopened))).toEqual(written.slice(acknowledged));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    { damage: "is gone", content: undefined },
    { damage: "is empty", content: "" },
    { damage: "is not a position", content: "\u0000\u0000\u0000" },
  ])("begins at the first segment where the position $damage", async ({ content }) => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "killed");
    await using spool = await Spool.open(join(folder.path, "original"), { segmentBytes: 1 });
    for (const text of ["a", "b", "c"]) spool.append(batchOf(text));
    spool.peek();
    spool.acknowledge(1);
    spool.peek();
    copyAsAfterKill(join(folder.path, "original"), directory);
    const position = join(directory, "position.json");
    if (content === undefined) rmSync(position);
    else writeFileSync(position, content);
    await using reopened = await Spool.open(directory, { segmentBytes: 1 });
    expect(texts(drain(reopened))).toEqual(["b", "c"]);
  });

  it("tells of what is missing before the first segment", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "killed");
    await using spool = await Spool.open(join(folder.path, "original"), { segmentBytes: 1 });
    for (const text of ["a", "b", "c"]) spool.append(batchOf(text));
    spool.peek();
    spool.acknowledge(1);
    copyAsAfterKill(join(folder.path, "original"), directory);
    for (const segment of segmentsOf(directory).slice(0, 2)) rmSync(segment);
    await using reopened = await Spool.open(directory);
    expect(reopened.recovered).toEqual({ batches: 1, truncatedBytes: 0, corruptRecords: 1 });
    expect(texts(drain(reopened))).toEqual(["c"]);
  });

  it("goes on behind a segment that is gone, and counts what was in it", async () => {
    await using folder = await createTemporaryFolder();
    const directory = join(folder.path, "killed");
    await using spool = await Spool.open(join(folder.path, "original"), { segmentBytes: 1 });
    for (const text of ["a", "b", "c"]) spool.append(batchOf(text));
    copyAsAfterKill(join(folder.path, "original"), directory);
    rmSync(segmentsOf(directory)[1] ?? "");
    await using reopened = await Spool.open(directory);
    expect(reopened.recovered).toEqual({ batches: 2, truncatedBytes: 0, corruptRecords: 1 });
    expect(texts(drain(reopened))).toEqual(["a", "c"]);
  });
});

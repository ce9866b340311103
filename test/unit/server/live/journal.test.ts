import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  nat,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SpoolError } from "../../../../src/errors.ts";
import { Journal } from "../../../../src/server/live/journal.ts";
import {
  encodeJournalRecord,
  type JournalEntry,
  type JournalRecord,
} from "../../../../src/server/live/journal-record.ts";

const mebibyte = 1024 ** 2;

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plimsoll-journal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (): string => join(folder, `${++files}.journal`);

async function open(
  file: string,
  limitBytes = mebibyte,
): Promise<{ journal: Journal; found: JournalRecord[] }> {
  const found: JournalRecord[] = [];
  const journal = await Journal.open(file, limitBytes, ({ entry, body }) => {
    found.push({ entry, body: Buffer.from(body) });
  });
  return { journal, found };
}

async function write(file: string, records: readonly JournalRecord[]): Promise<void> {
  const { journal } = await open(file);
  for (const { entry, body } of records) expect(journal.append(entry, body)).toBeUndefined();
  await journal.close();
}

const record = tuple(
  constantFrom("push", "close"),
  string({ unit: "binary" }),
  uint8Array({ maxLength: 200 }),
).map(([kind, key, bytes]): JournalRecord => {
  const entry: JournalEntry =
    kind === "push"
      ? { kind: "push", atMs: 1, key, instance: "" }
      : { kind: "close", untilMs: key.length, atMs: 2 };
  // A body may look like a record.
  const body = bytes[0] === 1 ? encodeJournalRecord({ entry, body: Buffer.alloc(0) }) : bytes;
  return { entry, body: Buffer.from(body) };
});

describe("Journal", () => {
  it("gives the beginning of what was written, wherever the file is cut, and goes on behind it", async () => {
    await assert(
      asyncProperty(array(record, { maxLength: 12 }), nat(), async (records, at) => {
        const file = path();
        await write(file, records);
        const size = statSync(file).size;
        const cut = at % (size + 1);
        truncateSync(file, cut);
        const ends = records.map((one) => encodeJournalRecord(one).length);
        let whole = 0;
        for (let end = 0; whole < ends.length && end + ends[whole]! <= cut; whole++) {
          end += ends[whole]!;
        }
        const { journal, found } = await open(file);
        expect(found).toEqual(records.slice(0, whole));
        expect(journal.length).toBe(whole);
        const more: JournalEntry = { kind: "stop", by: "ann" };
        journal.append(more);
        const read = [];
        for await (const { entry, number } of journal.read(Infinity)) read.push([number, entry]);
        expect(read).toEqual([
          ...records.slice(0, whole).map(({ entry }, index) => [index + 1, entry]),
          [whole + 1, more],
        ]);
        await journal.close();
      }),
      { numRuns: 60 },
    );
  });

  it("gives what lies before a damaged byte", async () => {
    const records = [1, 2, 3, 4].map((number): JournalRecord => {
      const entry: JournalEntry = { kind: "push", atMs: number, key: `${number}`, instance: "" };
      return { entry, body: Buffer.from([number, number]) };
    });
    const length = encodeJournalRecord(records[0]!).length;
    for (let at = 0; at < 4 * length; at++) {
      const file = path();
      await write(file, records);
      const bytes = readFileSync(file);
      bytes[at]! ^= 0x40;
      writeFileSync(file, bytes);
      const { journal, found } = await open(file);
      expect(found, `byte ${at}`).toEqual(records.slice(0, Math.floor(at / length)));
      expect(journal.tornBytes).toBeGreaterThan(0);
      await journal.close();
    }
  });

  it("says that there is no room, and is as it was", async () => {
    const file = path();
    const { journal } = await open(file, 500);
    const entry: JournalEntry = { kind: "push", atMs: 1, key: "a", instance: "" };
    expect(journal.append(entry, Buffer.alloc(100))).toBeUndefined();
    expect(journal.append(entry, Buffer.alloc(400))).toContain("500 bytes");
    expect(journal.append(entry, Buffer.alloc(100))).toBeUndefined();
    await journal.close();
    const { journal: again, found } = await open(file);
    expect(found).toHaveLength(2);
    await again.close();
  });

  it("keeps nothing when it is given up, and counts all the same", async () => {
    const file = path();
    const { journal } = await open(file);
    journal.append({ kind: "stop", by: "ann" });
    journal.giveUp();
    journal.append({ kind: "stop", by: "bob" });
    expect(journal.length).toBe(2);
    journal.discard();
    await journal.close();
    expect(statSync(file).size).toBe(0);
  });

  it("leaves a later Plimsoll's file as it is", async () => {
    const file = path();
    const bytes = encodeJournalRecord({ entry: { kind: "stop", by: "" }, body: Buffer.alloc(0) });
    const later = Buffer.from(bytes);
    later.writeUInt16LE(2, 4);
    const { crc32 } = await import("node:zlib");
    later.writeUInt32LE(crc32(later.subarray(20), crc32(later.subarray(0, 16))), 16);
    writeFileSync(file, later);
    await expect(open(file)).rejects.toThrow(SpoolError);
    expect(readFileSync(file)).toEqual(later);
  });
});

import { open } from "node:fs/promises";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { array, assert, asyncProperty, boolean, constantFrom, integer, string } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogPageView } from "../../../src/server/api/log-view.ts";
import { type LogQuery, readLogPage } from "../../../src/server/log-page.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../../support/temporary-folder.ts";

let folder: TemporaryFolder;
let path: string;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  path = join(folder.path, "log.jsonl");
});
afterAll(() => folder[Symbol.asyncDispose]());

const all: LogQuery = { from: 0, limit: 2_000, tail: false, search: "", level: undefined };

async function read(query: Partial<LogQuery> = {}): Promise<LogPageView> {
  const file = await open(path);
  try {
    return await readLogPage(file, { ...all, ...query });
  } finally {
    await file.close();
  }
}

const line = (message: string, level = "info", labels: object = { source: "console" }): string =>
  `${JSON.stringify({ timeNs: "1767225601000000000", level, message, labels })}\n`;

const messages = ({ lines }: LogPageView): string[] => lines.map(({ message }) => message);

/** Follows `next` to the end. */
async function readAll(query: Partial<LogQuery>): Promise<string[]> {
  const found: string[] = [];
  let from = 0;
  for (;;) {
    const page = await read({ ...query, from });
    found.push(...messages(page));
    if (page.isEnd) return found;
    expect(page.next).toBeGreaterThan(from);
    from = page.next;
  }
}

describe("a page of a log", () => {
  it("has the lines that match in message, label or level, in any case", async () => {
    await writeFile(
      path,
      line("Größe 12") + line("other", "error", { vu: "GRÖSSE-7" }) + line("größe", "error"),
    );
    expect(messages(await read())).toEqual(["Größe 12", "other", "größe"]);
    expect(messages(await read({ search: "GRÖßE" }))).toEqual(["Größe 12", "größe"]);
    expect(messages(await read({ search: "grösse" }))).toEqual(["other"]);
    expect(messages(await read({ level: "error", tail: true }))).toEqual(["other", "größe"]);
    // Of the line, but of none of its texts.
    expect(messages(await read({ search: "timeNs" }))).toEqual([]);
  });

  it("is a part of the whole: all pages together, and the last lines, whatever is asked for", async () => {
    const texts = array(string({ unit: "grapheme", maxLength: 40 }), { maxLength: 60 });
    await assert(
      asyncProperty(
        texts,
        constantFrom("", "a", "!", '"'),
        integer({ min: 1, max: 9 }),
        boolean(),
        async (written, search, limit, isHalf) => {
          await writeFile(path, written.map((text) => line(text)).join(""));
          // Of a line that is being written.
          if (isHalf) await appendFile(path, line("half").slice(0, -1));
          const expected = written.filter((text) =>
            [text, "console"].some((one) => one.toLowerCase().includes(search)),
          );
          expect(await readAll({ search, limit })).toEqual(expected);
          const tail = await read({ search, limit, tail: true });
          expect(messages(tail)).toEqual(expected.slice(-limit));
          // Follows from there on, and misses nothing.
          await appendFile(path, `${isHalf ? "\n" : ""}${line('!a later "one"')}`);
          const later = await read({ search, from: tail.next });
          expect(messages(later)).toEqual([
            ...(isHalf && "console half".includes(search) ? ["half"] : []),
            '!a later "one"',
          ]);
          expect(later.isEnd).toBe(true);
        },
      ),
    );
  });

  it("is the same across the blocks that are read, wherever they end", async () => {
    const long = "é".repeat(8_192);
    const written = Array.from({ length: 300 }, (_, n) => `${n} ${long.slice(n * 7)}`);
    await writeFile(path, written.map((text) => line(text)).join(""));
    expect(await readAll({})).toEqual(written);
    expect(messages(await read({ tail: true }))).toEqual(written);
    expect(messages(await read({ tail: true, limit: 2, search: "17 " }))).toEqual([
      written[117],
      written[217],
    ]);
  });

  it("reads no more of a log than a MiB at a time, and says where to go on", async () => {
    await writeFile(path, line("x".repeat(16_384)).repeat(200));
    const page = await read({ search: "nowhere" });
    expect(page).toMatchObject({ lines: [], isEnd: false });
    expect(page.next).toBeLessThanOrEqual(2 ** 20);
    expect(page.next).toBeGreaterThan(2 ** 20 - 20_000);
  });

  it("passes over what is no line of ours: a line of megabytes, bytes that are no text, the middle of a line", async () => {
    const huge = line("huge", "info", { label: "x".repeat(3 * 2 ** 20) });
    const bad = Buffer.from([0xff, 0xfe, 0x0a, 0x0a, ...Buffer.from("null\n[]\n7\n{}\n")]);
    const cut = Buffer.from(line("c?d"));
    cut[cut.indexOf("?")] = 0xc3;
    await writeFile(path, Buffer.concat([Buffer.from(line("a") + huge + line("b")), bad, cut]));
    expect(await readAll({})).toEqual(["a", "b", "c\ufffdd"]);
    expect(messages(await read({ tail: true }))).toEqual(["a", "b", "c\ufffdd"]);
    const [first, rest] = [await read({ from: 1, limit: 1 }), await read({ from: 1e15 })];
    expect(messages(first)).not.toContain("a");
    expect(rest).toMatchObject({ lines: [], isEnd: true });
    expect(rest.next).toBe((await read({ tail: true })).next);
  });

  it("is empty for an empty log", async () => {
    await writeFile(path, "");
    for (const tail of [false, true]) {
      expect(await read({ tail })).toEqual({ lines: [], next: 0, isEnd: true });
    }
  });
});

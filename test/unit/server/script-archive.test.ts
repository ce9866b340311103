import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { maxFileBytes, readScript, readScriptFile } from "../../../src/server/script-archive.ts";
import { type ArchiveEntry, k6Entries, packEntries } from "../../support/k6-archive.ts";

const metadata = { options: { vus: 2 }, env: { PASSWORD: "***", USER: "***" } };

async function tarOf(...more: readonly ArchiveEntry[]): Promise<Buffer> {
  return await packEntries([...k6Entries(metadata, "// ünïcode"), ...more]);
}

/** In chunks, as from a file. */
function streamOf(tar: Buffer): Readable {
  const chunks = [];
  for (let at = 0; at < tar.length; at += 65_536) chunks.push(tar.subarray(at, at + 65_536));
  return Readable.from(chunks);
}

const file = (name: string, content: string | Buffer): ArchiveEntry => ({
  header: { name },
  content,
});

describe("a script", () => {
  it("is its files by the paths that it has itself, the main one first, without what is no text", async () => {
    const tar = await tarOf(
      file("file/home/data.bin", Buffer.from([1, 0, 2])),
      file("file/home/lib/a.js", "export const a = 1;"),
      file("https/jslib.k6.io/b.js", "export const b = 2;"),
    );
    expect(await readScript(streamOf(tar))).toEqual({
      files: [
        { path: "/home/script.js", bytes: 12 },
        { path: "/home/lib/a.js", bytes: 19 },
        { path: "https://jslib.k6.io/b.js", bytes: 19 },
      ],
      main: "/home/script.js",
      options: { vus: 2 },
      environment: { PASSWORD: "***", USER: "***" },
    });
    const text = async (path: string) => await readScriptFile(streamOf(tar), path);
    expect(await text("/home/script.js")).toEqual({ text: "// ünïcode", isTruncated: false });
    expect((await text("https://jslib.k6.io/b.js"))?.text).toBe("export const b = 2;");
    expect(await text("/home")).toBeUndefined();
    expect(await text("/home/lib/")).toBeUndefined();
  });

  it("has a main file also where no link names it", async () => {
    const tar = await packEntries(k6Entries({}, "main").slice(0, 2));
    expect(await readScript(streamOf(tar))).toMatchObject({
      files: [{ path: "data", bytes: 4 }],
      main: "data",
      options: null,
      environment: {},
    });
    expect((await readScriptFile(streamOf(tar), "data"))?.text).toBe("main");
  });

  it("names what it was given, and opens nothing by it", async () => {
    const names = ["../../etc/passwd", "/etc/passwd", '<img src=x onerror="alert(1)">', "a\u0007b"];
    const tar = await tarOf(...names.map((name, n) => file(name, `text ${n}`)));
    const { files } = await readScript(streamOf(tar));
    expect(files.slice(1).map(({ path }) => path)).toEqual(names);
    for (const [n, name] of names.entries()) {
      expect((await readScriptFile(streamOf(tar), name))?.text).toBe(`text ${n}`);
    }
    const none = await readScriptFile(streamOf(tar), "metadata.json");
    expect(none, "what is in it is told without what is secret").toBeUndefined();
    expect(await readScriptFile(streamOf(tar), "/../etc/hosts")).toBeUndefined();
  });

  it("has the options and variables of the first metadata.json, whose secrets were taken out, and of no other", async () => {
    const more = JSON.stringify({ options: { vus: 9 }, env: { PASSWORD: "x" } });
    const { options, environment } = await readScript(
      streamOf(await tarOf(file("metadata.json", more))),
    );
    expect([options, environment]).toEqual([{ vus: 2 }, { PASSWORD: "***", USER: "***" }]);
  });

  it("is cut at a MiB between two characters, and shows what is no UTF-8 as such", async () => {
    const tar = await tarOf(
      file("file/long.js", `a${"é".repeat(maxFileBytes)}`),
      file("file/exact.js", "x".repeat(maxFileBytes)),
      file("file/latin.js", Buffer.from("caf\xe9 \xff", "latin1")),
    );
    const long = await readScriptFile(streamOf(tar), "/long.js");
    expect(long?.isTruncated).toBe(true);
    expect(long?.text).toBe(`a${"é".repeat(maxFileBytes / 2 - 1)}`);
    const exact = await readScriptFile(streamOf(tar), "/exact.js");
    expect([exact?.text.length, exact?.isTruncated]).toEqual([maxFileBytes, false]);
    expect((await readScriptFile(streamOf(tar), "/latin.js"))?.text).toBe("caf\ufffd \ufffd");
  });

  it("is refused where the tar is cut, wherever that is, or is none", async () => {
    const tar = await tarOf(file("file/a.js", "x".repeat(2_000)));
    for (const bytes of [100, 700, 1_030, 3_700]) {
      await expect(readScript(streamOf(tar.subarray(0, bytes))), String(bytes)).rejects.toThrow();
    }
    await expect(readScript(streamOf(Buffer.alloc(2_000, "no tar")))).rejects.toThrow();
    const failing = Readable.from(
      (async function* () {
        yield tar.subarray(0, 600);
        throw new Error("the disk is gone");
      })(),
    );
    await expect(readScript(failing)).rejects.toThrow("the disk is gone");
  });
});

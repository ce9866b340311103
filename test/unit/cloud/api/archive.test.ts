import { buffer } from "node:stream/consumers";
import { assert, asyncProperty, integer, string, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { readArchive } from "../../../../src/cloud/api/archive.ts";
import { InputError } from "../../../../src/errors.ts";
import {
  type ArchiveEntry,
  k6Entries,
  packEntries,
  unpackEntries,
} from "../../../support/k6-archive.ts";

const ours = `plr_${"aB3-_".repeat(8)}xyz`;

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What is kept of it. */
async function redact(tar: Buffer, chunkSize = 1_000): Promise<Buffer> {
  using archive = await readArchive(inChunks(tar, chunkSize));
  return await buffer(archive.redacted);
}

describe("an archive", () => {
  it("is kept as it was, but for its secrets", async () => {
    const metadata = {
      options: {
        vus: 2,
        cloud: { token: "super-secret-1", name: "a" },
        ext: { loadimpact: { token: "super-secret-2" } },
      },
      env: { PASSWORD: "x", USER: "jo" },
      k6version: "2.2.0",
    };
    const script = `const a = "super-secret-1"; const b = '${ours}'; // super-secret-2`;
    const kept = await unpackEntries(await redact(await packEntries(k6Entries(metadata, script))));
    expect(
      kept.map(({ name, type, linkname }) => ({ name, type, linkname: linkname || undefined })),
    ).toEqual([
      { name: "metadata.json", type: "file" },
      { name: "data", type: "file" },
      { name: "file", type: "directory" },
      { name: "file/home", type: "directory" },
      { name: "file/home/script.js", type: "link", linkname: "data" },
    ]);
    expect(JSON.parse(kept[0]?.content ?? "")).toEqual({
      type: "js",
      options: {
        vus: 2,
        cloud: { token: "***", name: "a" },
        ext: { loadimpact: { token: "***" } },
      },
      env: { PASSWORD: "***", USER: "***" },
      k6version: "2.2.0",
    });
    expect(kept[1]?.content).toBe(
      `const a = "${"*".repeat(14)}"; const b = '${"*".repeat(ours.length)}'; // ${"*".repeat(14)}`,
    );
  });

  it("gives the script's options before the rest has come", async () => {
    const tar = await packEntries(
      k6Entries({ options: { thresholds: { iterations: ["count>1"] } } }),
    );
    async function* begin(): AsyncGenerator<Buffer> {
      yield tar.subarray(0, 1_024);
      await new Promise(() => undefined);
    }
    using archive = await readArchive(begin());
    expect(archive.options).toEqual({ thresholds: { iterations: ["count>1"] } });
  });

  it("keeps no token, wherever chunks are cut, and every other byte", async () => {
    const bytes = uint8Array({ maxLength: 4_000, size: "max" });
    await assert(
      asyncProperty(bytes, bytes, integer({ min: 1, max: 700 }), async (before, after, size) => {
        const withText = (text: string): Buffer =>
          Buffer.concat([before, Buffer.from(`"${text}"`), after]);
        const tar = await packEntries([
          { header: { name: "metadata.json" }, content: "{}" },
          { header: { name: "data" }, content: withText(ours) },
        ]);
        const masked = withText("*".repeat(ours.length));
        // A header, the metadata, and a header come before.
        expect((await redact(tar, size)).subarray(1_536, 1_536 + masked.length)).toEqual(masked);
      }),
      // To shrink thousands of bytes takes minutes, and tells no more.
      { numRuns: 60, endOnFailure: true },
    );
  });

  it.each<[string, ArchiveEntry]>([
    ["a path upwards", { header: { name: "file/../../etc/passwd" }, content: "x" }],
    ["a path upwards, as Windows has it", { header: { name: "file\\..\\x" }, content: "x" }],
    ["an absolute path", { header: { name: "/etc/passwd" }, content: "x" }],
    ["a path with a drive", { header: { name: "C:/x" }, content: "x" }],
    ["a symbolic link", { header: { name: "file/a", type: "symlink", linkname: "/etc/passwd" } }],
    [
      "a link to elsewhere",
      { header: { name: "file/a", type: "link", linkname: "../../etc/passwd" } },
    ],
    ["a device", { header: { name: "file/a", type: "character-device" } }],
    ["a pipe", { header: { name: "file/a", type: "fifo" } }],
  ])("is refused with %s", async (_, entry) => {
    const tar = await packEntries([...k6Entries({ options: {} }), entry]);
    await expect(redact(tar)).rejects.toThrow(InputError);
    await expect(redact(tar)).rejects.toThrow("k6 does not write");
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("not a tar".repeat(200))],
    ["zeros", Buffer.alloc(10_240)],
  ])("is refused if it is %s", async (_, bytes) => {
    await expect(redact(bytes)).rejects.toThrow(InputError);
  });

  it.each<[string, ArchiveEntry[]]>([
    ["begins with something else", [{ header: { name: "data" }, content: "x" }]],
    ["has metadata that is no JSON", [{ header: { name: "metadata.json" }, content: "{" }]],
    [
      "has metadata of more than 4 MiB",
      [{ header: { name: "metadata.json" }, content: `"${"x".repeat(5 << 20)}"` }],
    ],
  ])("is refused if it %s", async (_, entries) => {
    await expect(redact(await packEntries(entries), 1 << 16)).rejects.toThrow(InputError);
  });

  it("is refused if it breaks off", async () => {
    const tar = await packEntries(k6Entries({ options: {} }, "x".repeat(5_000)));
    await expect(redact(tar.subarray(0, 3_000))).rejects.toThrow(InputError);
  });

  it("fails as its source does", async () => {
    const tar = await packEntries(k6Entries({ options: {} }, "x".repeat(5_000)));
    const tooLarge = Object.assign(new Error("too large"), { statusCode: 413 });
    async function* failing(): AsyncGenerator<Buffer> {
      yield tar.subarray(0, 3_000);
      throw tooLarge;
    }
    using archive = await readArchive(failing());
    await expect(buffer(archive.redacted)).rejects.toBe(tooLarge);
  });

  it("that nobody reads is let go of, with its source", async () => {
    const tar = await packEntries(k6Entries({ options: {} }, "x".repeat(1 << 20)));
    let isClosed = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* inChunks(tar, 1_024);
      } finally {
        isClosed = true;
      }
    }
    {
      using archive = await readArchive(source());
      expect(archive.options).toEqual({});
    }
    await expect.poll(() => isClosed).toBe(true);
  });

  it("may be any bytes: it is read, or refused as what it is", async () => {
    const tar = await packEntries(k6Entries({ options: {} }, "x".repeat(700)));
    await assert(
      asyncProperty(
        integer({ min: 0, max: tar.length - 1 }),
        string({ maxLength: 40 }),
        async (at, text) => {
          const broken = Buffer.from(tar);
          broken.write(text, at, "latin1");
          await redact(broken).catch((error: unknown) => expect(error).toBeInstanceOf(InputError));
        },
      ),
      { numRuns: 200 },
    );
  });
});

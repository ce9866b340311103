/** An archive as k6 makes it, from parts; and the entries of one. */
import { buffer } from "node:stream/consumers";
import { extract, type Header, pack } from "tar-stream";

export interface ArchiveEntry {
  readonly header: Partial<Header> & Pick<Header, "name">;
  readonly content?: string | Buffer;
}

/** `metadata.json`, the script, and what k6 puts beside it. Source: k6 `lib/archive.go`. */
export function k6Entries(metadata: object, script = "export default () => {}"): ArchiveEntry[] {
  return [
    { header: { name: "metadata.json" }, content: JSON.stringify({ type: "js", ...metadata }) },
    { header: { name: "data" }, content: script },
    { header: { name: "file", type: "directory" } },
    { header: { name: "file/home", type: "directory" } },
    { header: { name: "file/home/script.js", type: "link", linkname: "data" } },
  ];
}

export async function packEntries(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { header, content } of entries) {
    if (content === undefined) tar.entry(header);
    else tar.entry(header, content);
  }
  tar.finalize();
  return await buffer(tar as AsyncIterable<unknown> as AsyncIterable<Buffer>);
}

export async function unpackEntries(
  tar: Buffer,
): Promise<{ name: string; type: string; linkname: string; content: string }[]> {
  const entries = extract();
  entries.write(tar);
  entries.end(null);
  const unpacked = [];
  for await (const entry of entries) {
    const { name, type, linkname } = entry.header;
    const content = await buffer(entry as AsyncIterable<unknown> as AsyncIterable<Buffer>);
    unpacked.push({ name, type, linkname, content: content.toString() });
  }
  return unpacked;
}

/**
 * The shape of k6's `Point` lines, byte by byte:
 *
 *     {"metric":"NAME","type":"Point","data":{"time":"TIME","value":VALUE,"tags":{TAGS}}}
 *     '- head: up to the quote before TIME -----------'           '- tags: from the comma to the brace
 *
 * After the tags comes the end, or `,"metadata":{…}` and the end. k6 writes the head in no other way; what looks
 * otherwise is for `JSON.parse`.
 *
 * Source: k6 `internal/output/json/wrapper.go` (v2.2.0 and v1.8.1).
 */
import { ByteView } from "./byte-view.ts";

const beforeName = viewOf('{"metric":"');
const beforeTime = viewOf('","type":"Point","data":{"time":"');
export const beforeValue: ByteView = viewOf('","value":');
const beforeTags = viewOf(',"tags":{');
const beforeMetadata = viewOf(',"metadata":{');

/** Text as bytes. */
export function viewOf(text: string): ByteView {
  return new ByteView(Buffer.from(text));
}

/** Whether `expected` stands at `offset`. */
export function startsWith(view: ByteView, offset: number, expected: ByteView): boolean {
  return view.equals(offset, expected, 0, expected.bytes.length);
}

/** The offset of the time in a `Point` line that starts at `start`, or -1. */
export function endOfHead(view: ByteView, start: number, end: number): number {
  if (!startsWith(view, start, beforeName)) return -1;
  let nameEnd = start + beforeName.bytes.length;
  while (nameEnd < end && view.bytes[nameEnd] !== 0x22) nameEnd++;
  return startsWith(view, nameEnd, beforeTime) ? nameEnd + beforeTime.bytes.length : -1;
}

/** Whether the line ends after its tags: with `}}`, or with metadata and `}}`. */
export function isClosed(view: ByteView, tagsEnd: number, end: number): boolean {
  const bytes = view.bytes;
  if (bytes[end - 1] !== 0x7d || bytes[end - 2] !== 0x7d || bytes[tagsEnd - 1] !== 0x7d)
    return false;
  if (tagsEnd === end - 2) return true;
  return tagsEnd < end - 2 && bytes[end - 3] === 0x7d && startsWith(view, tagsEnd, beforeMetadata);
}

/** The offset after the brace that closes the tags which begin at `tagsStart`, or -1. */
export function endOfTags(view: ByteView, tagsStart: number, end: number): number {
  if (!startsWith(view, tagsStart, beforeTags)) return -1;
  const bytes = view.bytes;
  let isInString = false;
  for (let at = tagsStart + beforeTags.bytes.length; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x22) isInString = !isInString;
    else if (isInString && byte === 0x5c) at++;
    else if (!isInString && byte === 0x7d) return at + 1;
  }
  return -1;
}

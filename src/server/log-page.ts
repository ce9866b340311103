/**
 * Reads a part of a run's log, which may be growing: lines behind a place in the file, or the last ones.
 *
 * In:  JSON lines, as `live/run-logs.ts` writes them. What is no whole line is passed over: the last one of a log that is
 *      being written, the rest of one in whose middle a place lies.
 * Out: the lines that match, and the place behind all that were looked at.
 */
import type { FileHandle } from "node:fs/promises";
import type { LogLineView, LogPageView } from "./api/log-view.ts";

export interface LogQuery {
  /** A byte of the file. */
  readonly from: number;
  /** Lines. */
  readonly limit: number;
  /** The last lines behind `from` instead of the first. */
  readonly tail: boolean;
  /** Part of the message or of a label's value, however it is capitalised; empty for all. */
  readonly search: string;
  readonly level: string | undefined;
}

/**
 * Read at a time; of a page that goes forwards, all that is read: its search takes a few milliseconds. A line that is
 * longer is passed over; messages are cut at 16 384 characters.
 */
const blockBytes = 1 << 20;

const newline = 0x0a;

export async function readLogPage(file: FileHandle, query: LogQuery): Promise<LogPageView> {
  const { size } = await file.stat();
  const from = Math.min(query.from, size);
  return await (query.tail ? lastLines : nextLines)(file, { from, size }, query);
}

interface Range {
  readonly from: number;
  readonly size: number;
}

async function nextLines(
  file: FileHandle,
  { from, size }: Range,
  { limit, ...wanted }: LogQuery,
): Promise<LogPageView> {
  const block = await readBlock(file, from, Math.min(size, from + blockBytes));
  const isLast = from + block.length >= size;
  const lines: LogLineView[] = [];
  let at = 0;
  let end = block.indexOf(newline);
  while (end >= 0 && lines.length < limit) {
    const line = toLine(block.subarray(at, end));
    if (line && isWanted(line, wanted)) lines.push(line);
    at = end + 1;
    end = block.indexOf(newline, at);
  }
  if (at === 0 && !isLast) at = block.length;
  return { lines, next: from + at, isEnd: isLast && end < 0 };
}

/** Reads backwards, and as far as it takes: a log has its limit. */
async function lastLines(
  file: FileHandle,
  { from, size }: Range,
  { limit, ...wanted }: LogQuery,
): Promise<LogPageView> {
  const lines: LogLineView[] = [];
  let next: number | undefined;
  let end = size;
  while (end > from && lines.length < limit) {
    const start = Math.max(from, end - blockBytes);
    const block = await readBlock(file, start, end);
    // Behind it, there is nothing, or what is not ended yet.
    let lineEnd = block.lastIndexOf(newline);
    next ??= lineEnd < 0 ? start : start + lineEnd + 1;
    while (lineEnd >= 0 && lines.length < limit) {
      // -1 before the first of the block, whose beginning may lie in the block before.
      const before = lineEnd === 0 ? -1 : block.lastIndexOf(newline, lineEnd - 1);
      if (before < 0 && start > from) break;
      const line = toLine(block.subarray(before + 1, lineEnd));
      if (line && isWanted(line, wanted)) lines.push(line);
      lineEnd = before;
    }
    // With the first line's end, so that it is whole in the next block; one that is longer than a block is none.
    const isTooLong = lineEnd < 0 || end - start === lineEnd + 1;
    end = isTooLong ? start : start + lineEnd + 1;
  }
  return { lines: lines.toReversed(), next: next ?? from, isEnd: true };
}

async function readBlock(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(to - from);
  let length = 0;
  while (length < block.length) {
    const { bytesRead } = await file.read(block, length, block.length - length, from + length);
    // It was cut meanwhile.
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return block.subarray(0, length);
}

function toLine(bytes: Buffer): LogLineView | undefined {
  try {
    // A part of a line is never JSON: it ends with a brace that has no beginning.
    const line = JSON.parse(bytes.toString()) as Partial<LogLineView> | null;
    return line?.labels && typeof line.message === "string" ? (line as LogLineView) : undefined;
  } catch {
    return undefined;
  }
}

function isWanted(
  line: LogLineView,
  { search, level }: Pick<LogQuery, "search" | "level">,
): boolean {
  if (level !== undefined && line.level !== level) return false;
  const part = search.toLowerCase();
  return [line.message, ...Object.values(line.labels)].some((text) =>
    text.toLowerCase().includes(part),
  );
}

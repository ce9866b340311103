/**
 * Names the folders of a run's queues. One queue lies in the run's folder itself; of several, each has a folder in
 * it that says how many there are, because a series' queue depends on their number.
 */
import { readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { SpoolError } from "../errors.ts";
import { parseSegmentName } from "./segment.ts";

const namePattern = /^queue-(\d{1,2})-of-(\d{1,2})$/;

export function queueFolders(directory: string, queues: number): string[] {
  if (queues === 1) return [directory];
  return Array.from({ length: queues }, (_, index) =>
    join(directory, `queue-${index + 1}-of-${queues}`),
  );
}

/**
 * A queue's folder looks like a spool of one queue, but has neither its lock nor its manifest: whoever took it for one
 * would empty it under the run that writes it.
 *
 * @throws SpoolError for a queue's folder.
 */
export function expectNoQueue(directory: string): void {
  const path = resolve(directory);
  if (!namePattern.test(basename(path))) return;
  throw new SpoolError(
    `${JSON.stringify(directory)} is one queue of the spool ${JSON.stringify(dirname(path))}; nothing was read or ` +
      "changed: name the spool",
  );
}

/** How many queues a folder was written by; `undefined` where it holds nothing of a spool. */
export function queuesIn(directory: string): number | undefined {
  const names = readdirSync(directory);
  for (const name of names) {
    const queues = namePattern.exec(name)?.[2];
    if (queues !== undefined) return Number(queues);
  }
  const isSpool = (name: string) =>
    parseSegmentName(name) !== undefined || name === "position.json" || name === "spool.json";
  return names.some(isSpool) ? 1 : undefined;
}

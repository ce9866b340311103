/**
 * Names the folders of a run's queues. One queue lies in the run's folder itself; of several, each has a folder in
 * it that says how many there are, because a series' queue depends on their number.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseSegmentName } from "./segment.ts";

const namePattern = /^queue-(\d{1,2})-of-(\d{1,2})$/;

export function queueFolders(directory: string, queues: number): string[] {
  if (queues === 1) return [directory];
  return Array.from({ length: queues }, (_, index) =>
    join(directory, `queue-${index + 1}-of-${queues}`),
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

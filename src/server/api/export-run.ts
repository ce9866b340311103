/**
 * One JSON document with all that is kept of a run: the record with its thresholds and summary, and its log.
 */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { RunView } from "./run-view.ts";

/** @param log JSON lines */
export async function* exportRun(run: RunView, log: Readable | undefined): AsyncGenerator<string> {
  yield `{"run":${JSON.stringify(run)},"log":[`;
  let separator = "\n";
  for await (const line of log ? createInterface({ input: log, crlfDelay: Infinity }) : []) {
    // The last line of a run that goes on may be half written.
    if (!isJson(line)) continue;
    yield separator + line;
    separator = ",\n";
  }
  yield "]}\n";
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

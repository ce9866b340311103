/**
 * A spool as a run leaves it: one request per second, each with the next value of one gauge.
 */
import { join } from "node:path";
import { spoolFolder } from "../../src/output/spool-folder.ts";
import { RunSpool, type RunSpoolOptions } from "../../src/spool/run-spool.ts";
import { encodeWriteRequest } from "./encode-write-request.ts";
import type { ReceivedRequest } from "./receiver-server.ts";

export interface SpooledRun {
  readonly testid: string;
  readonly directory: string;
}

export interface SpooledRunOptions extends Pick<RunSpoolOptions, "queues" | "segmentBytes"> {
  /** Where `--spool-dir` points. */
  readonly spoolDir: string;
  readonly testid: string;
  /** The receiver's. */
  readonly url: string;
  readonly count: number;
  readonly protocol?: "1" | "2";
  /** Of the first request. */
  readonly startMs?: number;
  /** Default true. */
  readonly hasManifest?: boolean;
}

/** Values count from 1, in each queue. */
export async function leaveSpool(options: SpooledRunOptions): Promise<SpooledRun> {
  const { spoolDir, testid, url, count, protocol = "2", startMs = Date.now() - 60_000 } = options;
  const directory = spoolFolder(spoolDir, testid, url);
  const manifest = { testid, test: "left", url, created: new Date(startMs).toISOString() };
  await using spool = await RunSpool.open(directory, {
    ...options,
    ...((options.hasManifest ?? true) && { manifest }),
  });
  for (const [index, queue] of spool.queues.entries()) {
    const metric = `left_${testid.replaceAll("-", "_")}_${index}`;
    for (let n = 1; n <= count; n++) {
      queue.append(
        encodeWriteRequest({ protocol, metric, float: n, timestampMs: startMs + n * 1_000 }),
      );
    }
  }
  return { testid, directory };
}

/** The values of a run's requests, in the order in which they came. */
export function valuesOf(
  { testid }: Pick<SpooledRun, "testid">,
  requests: readonly ReceivedRequest[],
  queue = 0,
): number[] {
  const name = `left_${testid.replaceAll("-", "_")}_${queue}`;
  return requests
    .flatMap(({ series }) => series)
    .filter(({ labels }) => labels.some(({ value }) => value === name))
    .flatMap(({ samples }) => samples.map(({ value }) => value));
}

export const segmentFile = (directory: string, firstSequence: number): string =>
  join(directory, `${String(firstSequence).padStart(16, "0")}.segment`);

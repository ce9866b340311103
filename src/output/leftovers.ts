/**
 * What a run says at its start of requests that earlier processes left in the spool: its own, which it sends
 * first, and those of other runs for the same receiver, which `plimsoll replay` sends.
 */
import { basename } from "node:path";
import type { RemoteWriteOptions } from "../config/options.ts";
import { listSpools, type SpoolListing } from "../spool/list-spools.ts";
import type { RunSpool } from "../spool/run-spool.ts";
import { spoolFolder } from "./spool-folder.ts";

/** What lies in the run's own spool. `queues` is how many were asked for. */
export function describeRecovery(spool: RunSpool, queues: number): string[] {
  const { batches } = spool.recovered;
  const folder = JSON.stringify(spool.directory);
  const notices: string[] = [];
  if (batches > 0) {
    notices.push(
      `the spool ${folder} holds ${batches} requests of an earlier process of this run; ` +
        "they are sent first",
    );
  }
  notices.push(...describeDamage(spool));
  if (spool.queues.length !== queues) {
    notices.push(
      `the spool ${folder} is in ${spool.queues.length} queues, so this run sends in as many, not in ${queues}`,
    );
  }
  return notices;
}

export function describeDamage({ directory, recovered }: RunSpool): string[] {
  const { corruptRecords, truncatedBytes } = recovered;
  if (corruptRecords === 0 && truncatedBytes === 0) return [];
  return [
    `the spool ${JSON.stringify(directory)} is damaged: ${corruptRecords} requests and ${truncatedBytes} ` +
      "bytes of an unfinished one are lost",
  ];
}

/** What other runs have left for the same receiver, in at most one line. */
export async function describeLeftovers(
  { spoolDir, url }: Pick<RemoteWriteOptions, "spoolDir" | "url">,
  ownFolder: string,
): Promise<string[]> {
  const left = (await listSpools(spoolDir, ownFolder)).filter(
    (listing) =>
      listing.ownerPid === undefined && listing.pending.batches > 0 && isFor(listing, url),
  );
  const [first, ...others] = left;
  if (first === undefined) return [];
  const batches = left.reduce((sum, { pending }) => sum + pending.batches, 0);
  const whose = others.length === 0 ? `run ${testidOf(first)}` : `${left.length} earlier runs`;
  return [
    `the spool ${JSON.stringify(spoolDir)} holds ${batches} requests of ${whose} for this receiver; ` +
      '"plimsoll replay --all" with the same options sends them',
  ];
}

/** Whether a spool is of this receiver, its query string included, which the folder's name is made of. */
export function isFor(listing: SpoolListing, url: string): boolean {
  const own = spoolFolder("", testidOf(listing), url);
  return basename(own) === basename(listing.directory);
}

/** Without a manifest, what the folder's name begins with: the testid, or nearly so. */
export function testidOf({ manifest, directory }: SpoolListing): string {
  return manifest?.testid ?? basename(directory).replace(/-[0-9a-f]{12}$/, "");
}

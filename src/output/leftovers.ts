/**
 * What a run says at its start of what earlier processes left: in the spool its own requests, which it sends
 * first, and those of other runs for the same receiver, which `plimsoll replay` sends; in the store its own samples.
 */
import { basename } from "node:path";
import type { RemoteWriteOptions } from "../config/options.ts";
import { countSeries, queryUrlOf, type StoreClient } from "../query/instant-query.ts";
import type { RunIdentity } from "../runs/run-identity.ts";
import { listSpools, type SpoolListing } from "../spool/list-spools.ts";
import type { RunSpool } from "../spool/run-spool.ts";
import { spoolFolder } from "./spool-folder.ts";

/** All that the start of a run has to say of earlier processes. */
export async function describeSpools(
  run: {
    readonly remoteWrite: RemoteWriteOptions;
    /** Of the run's own series, those that it does not have with an empty value. */
    readonly labels: RunIdentity & Readonly<Record<string, string>>;
    readonly isLive: boolean;
    readonly startMs: number;
  },
  client: StoreClient,
  spool: RunSpool,
): Promise<string[]> {
  const { remoteWrite, labels, isLive, startMs } = run;
  const isAgainPossible = remoteWrite.preflight && !isLive;
  return [
    ...describeRecovery(spool, remoteWrite.queues),
    ...(await describeLeftovers(remoteWrite, spool.directory)),
    ...(isAgainPossible
      ? await describeEarlierIngest(remoteWrite, { client, spool }, labels, startMs)
      : []),
  ];
}

/** What lies in the run's own spool. `queues` is how many were asked for. */
function describeRecovery(spool: RunSpool, queues: number): string[] {
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
async function describeLeftovers(
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

/**
 * Of samples that are not made as they come: whether their series have points of that time, because the same file was
 * ingested before or for another one under the same name. Says nothing where the store cannot be asked.
 *
 * @param startMs Unix milliseconds of the first sample.
 */
async function describeEarlierIngest(
  { url, pushIntervalMs }: Pick<RemoteWriteOptions, "url" | "pushIntervalMs">,
  { client, spool }: { readonly client: StoreClient; readonly spool: RunSpool },
  labels: RunIdentity & Readonly<Record<string, string>>,
  startMs: number,
): Promise<string[]> {
  const queryUrl = queryUrlOf(url);
  const matchers = Object.entries(labels).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  // Among the first points of each run. The range finds what a stale marker has ended.
  const expression = `last_over_time(plimsoll_run_info{${matchers.join()}}[5m])`;
  const isSpooled = spool.recovered.batches > 0;
  const isStored =
    !isSpooled &&
    queryUrl !== undefined &&
    ((await countSeries(client, queryUrl, expression, startMs + pushIntervalMs)) ?? 0) > 0;
  if (!isSpooled && !isStored) return [];
  return [
    `run ${labels.testid} has points of this time already. Where these samples were ingested before, or begun, the ` +
      "store may refuse them (http_400): they are counted as rejected and are no loss. Other samples of the run need " +
      "--tag instance_id=NAME, and those of another run a --testid of their own",
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

/**
 * Finds the spools that `plimsoll replay RUN|FOLDER…` means, and sees to it that nothing goes to a receiver for
 * which it was not made, unless the user says so.
 */
import { resolve } from "node:path";
import type { Options } from "../config/options.ts";
import { InputError, UsageError } from "../errors.ts";
import { isFor, testidOf } from "../output/leftovers.ts";
import { inspectSpool, type SpoolListing } from "../spool/list-spools.ts";

/** Without credentials and query string. */
export function displayUrlOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/**
 * @param isUrlFlag Whether the receiver was named on the command line.
 * @throws UsageError for a name that is none, or of a run for another receiver.
 */
export async function chooseSpools(
  names: readonly string[],
  listings: readonly SpoolListing[],
  { url, spoolDir }: Pick<Options, "url" | "spoolDir">,
  isUrlFlag: boolean,
): Promise<SpoolListing[]> {
  const chosen: SpoolListing[] = [];
  for (const name of new Set(names)) {
    const named = await findSpools(name, listings);
    if (named.length === 0) {
      throw new InputError(
        `${JSON.stringify(name)} is neither a run in the spool ${JSON.stringify(spoolDir)} nor a spool's folder; ` +
          '"plimsoll replay" shows what there is',
      );
    }
    chosen.push(...expectReceiver(name, named, url, isUrlFlag));
  }
  return [...new Set(chosen)];
}

async function findSpools(
  name: string,
  listings: readonly SpoolListing[],
): Promise<SpoolListing[]> {
  const byId = listings.filter((listing) => testidOf(listing) === name);
  if (byId.length > 0) return byId;
  const directory = resolve(name);
  const known = listings.find((listing) => listing.directory === directory);
  const listing = known ?? (await inspectSpool(directory));
  return listing === undefined ? [] : [listing];
}

/** A run with several receivers has a spool for each. */
function expectReceiver(
  name: string,
  named: readonly SpoolListing[],
  url: string,
  isUrlFlag: boolean,
): readonly SpoolListing[] {
  const displayUrl = displayUrlOf(url);
  const exact = named.filter((listing) => isFor(listing, url));
  if (exact.length > 0) return exact;
  const same = named.filter(({ manifest }) => manifest?.url === displayUrl);
  if (same.length > 0) return same;
  const [only] = named;
  const isUnknown = only?.manifest === undefined;
  if (named.length === 1 && (isUrlFlag || isUnknown)) return named;
  const urls = named.map(({ manifest }) => manifest?.url ?? "an unknown receiver").join(", ");
  throw new UsageError(
    `${JSON.stringify(name)} was going to ${urls}, and this would send it to ${displayUrl}: ` +
      "name the receiver with --out prometheus-rw=URL" +
      (named.length > 1 ? ", and the spool by its folder" : ""),
  );
}

/**
 * What `plimsoll replay` says of spools: a table of what waits, a few lines for each that was sent, and both as
 * JSON. docs/spool.md describes the fields.
 */
import { testidOf } from "../output/leftovers.ts";
import type { DeliveryProgress } from "../output/output-progress.ts";
import type { SpoolListing } from "../spool/list-spools.ts";
import { formatBytes, formatCount, formatTable } from "./format.ts";

/** What is lost of a damaged spool. */
export const unreadable = "requests in the spool that cannot be read";

export interface SpoolReport {
  readonly testid: string;
  readonly test: string | null;
  /** Where it was going to: no credentials, no query string. */
  readonly url: string | null;
  readonly directory: string;
  readonly created: string | null;
  /** The running process that has it. */
  readonly ownerPid: number | null;
  readonly requests: number;
  readonly points: number;
  readonly bytes: number;
  /** ISO 8601. */
  readonly oldest: string | null;
  readonly newest: string | null;
  /** Requests that were written and cannot be read. */
  readonly corruptRequests: number;
  /** Why it cannot be sent. */
  readonly problem: string | null;
}

export interface SentReport extends SpoolReport {
  /** Where to. */
  readonly sentTo: string;
  readonly delivered: number;
  readonly pending: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly requestsSent: number;
  readonly bytesSent: number;
}

export function toSpoolReport(listing: SpoolListing): SpoolReport {
  const { manifest, pending, minTimestampMs, maxTimestampMs } = listing;
  return {
    testid: testidOf(listing),
    test: manifest?.test ?? null,
    url: manifest?.url ?? null,
    directory: listing.directory,
    created: manifest?.created ?? null,
    ownerPid: listing.ownerPid ?? null,
    requests: pending.batches,
    points: pending.samples + pending.histograms,
    bytes: pending.bytes,
    oldest: toIso(minTimestampMs),
    newest: toIso(maxTimestampMs),
    corruptRequests: listing.corruptRecords,
    problem: listing.problem ?? null,
  };
}

/** `listing` as it was before; the account is of what was found when the spool was taken. */
export function toSentReport(
  listing: SpoolListing,
  sentTo: string,
  {
    points,
    sender,
    corruptRecords,
  }: Pick<DeliveryProgress, "points" | "sender" | "corruptRecords">,
): SentReport {
  return {
    ...toSpoolReport(listing),
    points: points.recovered,
    corruptRequests: corruptRecords,
    sentTo,
    delivered: points.delivered,
    pending: points.pending,
    rejected: Object.fromEntries(points.rejected),
    requestsSent: sender.requests,
    bytesSent: sender.bytesSent,
  };
}

export function toSpoolTable(listings: readonly SpoolListing[]): string {
  return formatTable([
    ["RUN", "TEST", "RECEIVER", "REQUESTS", "POINTS", "SIZE", "FROM", "TO", "STATE"],
    ...listings.map((listing) => {
      const report = toSpoolReport(listing);
      return [
        report.testid,
        report.test ?? "-",
        report.url ?? "-",
        formatCount(report.requests),
        formatCount(report.points),
        formatBytes(report.bytes),
        toSeconds(report.oldest),
        toSeconds(report.newest),
        stateOf(report),
      ];
    }),
  ]);
}

export function toSentText(report: SentReport): string {
  const rejected = Object.entries(report.rejected);
  const lost = rejected.reduce((sum, [, count]) => sum + count, 0);
  const reasons = rejected.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ");
  const lines: (readonly [string, string])[] = [
    ["run", report.testid + (report.test === null ? "" : ` (test ${report.test})`)],
    [
      "points",
      `${formatCount(report.points)} found in the spool = ${formatCount(report.delivered)} delivered + ` +
        `${formatCount(report.pending)} pending + ${formatCount(lost)} rejected` +
        (reasons === "" ? "" : ` (${reasons})`),
    ],
    [
      "sent",
      `${formatCount(report.requestsSent)} requests, ${formatBytes(report.bytesSent)} to ${report.sentTo}`,
    ],
  ];
  if (report.corruptRequests > 0) {
    lines.push(["lost", `${formatCount(report.corruptRequests)} ${unreadable}`]);
  }
  if (report.pending > 0) {
    lines.push(["note", `what is pending stays in the spool, ${report.directory}`]);
  }
  return lines.map(([name, text]) => `${name.padStart(10)}  ${text}\n`).join("");
}

function stateOf({ problem, ownerPid, corruptRequests }: SpoolReport): string {
  if (problem !== null) return problem;
  if (ownerPid !== null) return `in use by process ${ownerPid}`;
  return corruptRequests > 0 ? `damaged, ${formatCount(corruptRequests)} requests lost` : "waits";
}

function toIso(timestampMs: number | undefined): string | null {
  return timestampMs === undefined ? null : new Date(timestampMs).toISOString();
}

/** Without milliseconds. */
function toSeconds(iso: string | null): string {
  return iso === null ? "-" : `${iso.slice(0, 19)}Z`;
}

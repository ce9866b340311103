/**
 * What the receiver takes, asked of it: tiny real requests, its status APIs, its clock.
 *
 * The requests write `plimsoll_probe` and `plimsoll_probe_histogram` with `testid="plimsoll-doctor"`, and nothing else.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { maxBytesPerRequest } from "../encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import { compressBlock, uncompressBlock } from "../encode/snappy-block.ts";
import { askReceiver, probeBatch } from "../output/ask-receiver.ts";
import type { ProbeRefused } from "../send/probe.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";
import type { Check } from "./check.ts";
import { checkClock } from "./clock-check.ts";
import { checkHistograms } from "./histogram-check.ts";
import { askStatus, type StoreStatus } from "./store-status.ts";

export interface ReceiverContext {
  readonly options: RemoteWriteOptions;
  readonly client: RemoteWriteClient;
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
}

const tags = new Map([["testid", "plimsoll-doctor"]]);

export async function checkReceiver(context: ReceiverContext): Promise<Check[]> {
  const { options, client, clock, random } = context;
  const { url } = options;
  const nowMs = clock.nowMs();
  const ask = (protocol: RemoteWriteProtocol | "auto") =>
    askReceiver({ url, protocol }, client, { clock, random, tags, probeMs: nowMs });
  const best = await ask("auto");
  const isSilent = best.kind === "refused" && !/^(http_|html|unsupported)/.test(best.reason);
  const status = isSilent ? unknownStatus : await askStatus(url, client);
  if (best.kind === "refused") {
    return [
      refused(client.displayUrl, best, status),
      ...(isSilent ? [] : [await checkClock(options.url, client, clock)]),
    ];
  }
  const versions: RemoteWriteProtocol[] = [best.protocol];
  if (best.protocol === "2" && (await ask("1")).kind === "accepted") versions.unshift("1");
  return [
    {
      check: "receiver",
      level: "ok",
      text: `${named(status)} takes samples at ${client.displayUrl}`,
      facts: receiverFacts(client.displayUrl, status, null),
    },
    {
      check: "authentication",
      level: "ok",
      text: "the receiver takes the credentials that are set, or needs none",
      facts: { accepted: true },
    },
    remoteWrite(versions, options),
    checkHistograms(best.nativeHistograms, options, status.application),
    await outOfOrder(context, best.protocol, nowMs, status),
    await requestSize(context, best.protocol, nowMs),
    ...limits(status, options),
    ...retention(status),
    await checkClock(options.url, client, clock),
  ];
}

const unknownStatus: StoreStatus = {
  application: undefined,
  version: undefined,
  outOfOrderWindow: undefined,
  retention: undefined,
  limits: undefined,
};

const named = ({ application = "the receiver", version }: StoreStatus): string =>
  version === undefined ? application : `${application} ${version}`;

function receiverFacts(url: string, status: StoreStatus, reason: string | null): Check["facts"] {
  const { application = null, version = null } = status;
  return { url, application, version, reason };
}

function refused(url: string, { reason, text }: ProbeRefused, status: StoreStatus): Check {
  if (/^http_(401|403|407)$/.test(reason)) {
    return {
      check: "authentication",
      level: "problem",
      text,
      change: "set the user name and password, the token or the headers that this receiver wants",
      facts: { accepted: false },
    };
  }
  const isThere = status.application === undefined ? "" : `; ${named(status)} is there`;
  return {
    check: "receiver",
    level: "problem",
    text: text + isThere,
    change: "set --out prometheus-rw=URL to the remote-write endpoint of a store that runs",
    facts: receiverFacts(url, status, reason),
  };
}

function remoteWrite(versions: readonly RemoteWriteProtocol[], options: RemoteWriteOptions): Check {
  const { protocol } = options;
  const names = versions.map((version) => `${version}.0`);
  const facts = { versions: names };
  if (protocol !== "auto" && !versions.includes(protocol)) {
    return {
      check: "remote_write",
      level: "problem",
      text: `takes remote write ${names.join(" and ")}, and the options insist on ${protocol}.0`,
      change: "leave --remote-write-protocol at auto",
      facts,
    };
  }
  const text = versions.includes("2")
    ? `takes remote write ${names.join(" and ")}`
    : "takes remote write 1.0 only, which does not say how many points were stored";
  return { check: "remote_write", level: "ok", text, facts };
}

const minuteMs = 60_000;
/** Each is tried if the one before was taken. */
const triedAges = [
  { text: "a minute", ms: minuteMs },
  { text: "two hours", ms: 120 * minuteMs },
  { text: "a day", ms: 24 * 60 * minuteMs },
];

const forOldFiles =
  "live runs need none; plimsoll ingest of samples that are older than an hour does";

/** How old a sample of a series may be that has newer ones: from the configuration, or by trying. */
async function outOfOrder(
  { client }: ReceiverContext,
  protocol: RemoteWriteProtocol,
  nowMs: number,
  { outOfOrderWindow }: StoreStatus,
): Promise<Check> {
  const check = "out_of_order";
  if (outOfOrderWindow !== undefined) {
    const facts = { window: outOfOrderWindow, takenAgeSeconds: null };
    if (!/[1-9]/.test(outOfOrderWindow)) {
      return {
        check,
        level: "ok",
        text: `takes no samples out of order: ${forOldFiles}`,
        change:
          "to ingest old files set storage.tsdb.out_of_order_time_window in the Prometheus configuration",
        facts,
      };
    }
    return {
      check,
      level: "ok",
      text: `takes samples up to ${outOfOrderWindow} out of order`,
      facts,
    };
  }
  let taken: (typeof triedAges)[number] | undefined;
  for (const age of triedAges) {
    const points = { float: true, histogram: false };
    const batch = probeBatch(protocol, points, tags, nowMs - age.ms);
    if ((await client.send(batch, 0)).kind !== "sent") break;
    taken = age;
  }
  const facts = { window: null, takenAgeSeconds: taken === undefined ? 0 : taken.ms / 1_000 };
  if (taken === undefined) {
    const change = "to ingest old files give the store an out-of-order window";
    const text = `takes no samples out of order: ${forOldFiles}`;
    return { check, level: "ok", text, change, facts };
  }
  return { check, level: "ok", text: `takes samples that are ${taken.text} out of order`, facts };
}

/** Whether a request of the largest size gets through: proxies often refuse it. */
async function requestSize(
  { client }: ReceiverContext,
  protocol: RemoteWriteProtocol,
  nowMs: number,
): Promise<Check> {
  const check = "request_size";
  const outcome = await client.send(paddedBatch(protocol, nowMs), 0);
  const facts = { triedBytes: maxBytesPerRequest, accepted: outcome.kind === "sent" };
  if (outcome.kind === "sent") {
    return {
      check,
      level: "ok",
      text: "takes requests of 1 MiB, the largest that are sent",
      facts,
    };
  }
  const why = outcome.kind === "unsupported" ? outcome.text : `${outcome.reason}: ${outcome.text}`;
  return {
    check,
    level: "warning",
    text: `refuses a request of 1 MiB, the largest that is sent before compression (${why})`,
    change: "raise the limit of what is in between, in nginx client_max_body_size 2m",
    facts,
  };
}

/** A point that the store has, and a field that no version of the message knows: every decoder skips it. */
function paddedBatch(protocol: RemoteWriteProtocol, nowMs: number): EncodedBatch {
  const batch = probeBatch(protocol, { float: true, histogram: false }, tags, nowMs);
  const message = uncompressBlock(batch.body);
  // Field 1000 of wire type 2, its length as a varint of three bytes, and random bytes, which do not compress.
  const length = maxBytesPerRequest - message.length - 6;
  const head = [0xc2, 0x3e, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
  return {
    ...batch,
    body: compressBlock(Buffer.concat([message, Buffer.from(head), randomBytes(length)])),
  };
}

function limits({ limits: tenant }: StoreStatus, { maxSeries }: RemoteWriteOptions): Check[] {
  if (!tenant) return [];
  const facts = { ...tenant };
  const text =
    `the tenant may send ${tenant.ingestionRate} samples/s, ${tenant.ingestionBurst} at once, ` +
    `in ${tenant.maxSeries === 0 ? "any number of" : tenant.maxSeries} series`;
  if (tenant.maxSeries === 0 || tenant.maxSeries >= maxSeries) {
    return [{ check: "limits", level: "ok", text, facts }];
  }
  return [
    {
      check: "limits",
      level: "warning",
      text: `${text}; a run may make ${maxSeries} (--max-series)`,
      change: "raise max_global_series_per_user, or lower --max-series",
      facts,
    },
  ];
}

function retention({ retention: kept }: StoreStatus): Check[] {
  if (kept === undefined) return [];
  return [
    {
      check: "retention",
      level: "ok",
      text: `keeps samples for ${kept}`,
      change:
        "to compare the runs of years raise --storage.tsdb.retention.time (docs/long-term.md)",
      facts: { retention: kept },
    },
  ];
}

/**
 * Decides how to speak to the receiver: which protocol, and how to send distributions.
 *
 * Asks the receiver with a tiny real request, because a store that drops what it does not know says nothing
 * when it does: the numbers would be missing, and nobody would be told.
 */
import { ExponentialHistogram } from "../aggregate/exponential-histogram.ts";
import type { Label, OutputSeries } from "../aggregate/series-point.ts";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { BatchEncoder } from "../encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import { byName } from "../encode/labels.ts";
import type { TrendForm } from "../encode/prometheus-mapper.ts";
import { ReceiverError } from "../errors.ts";
import { countSeries, queryUrlOf } from "../query/instant-query.ts";
import { probe, type ProbePoints } from "../send/probe.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";

export interface Agreement {
  readonly protocol: RemoteWriteProtocol;
  readonly trendForm: TrendForm;
  /** What the user did not ask for and should know. */
  readonly notices: readonly string[];
}

/** How often, and how long apart, the store is asked for the histogram it was just sent. */
const verifyTries = 5;
const verifyIntervalMs = 200;
/** From this age on a refusal may be about the age. Mimir's and Prometheus' in-order window is an hour. */
const oldMs = 10 * 60_000;

export interface NegotiationContext {
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly testid: string;
  /**
   * The time of the points that ask, Unix milliseconds: that of the run. A point of now would make a store that
   * holds nothing yet refuse the samples of an old run.
   */
  readonly probeMs: number;
}

/** @throws ReceiverError if the receiver cannot be used, or not in the way that the options insist on */
export async function negotiate(
  options: RemoteWriteOptions,
  client: RemoteWriteClient,
  { clock, random, testid, probeMs }: NegotiationContext,
): Promise<Agreement> {
  if (!options.preflight) return unasked(options);
  const result = await probe({
    client: client,
    protocol: options.protocol,
    clock,
    random,
    // Always the same time and value, which a store takes any number of times.
    encode: (protocol, points) => probeBatch(protocol, points, testid, probeMs),
    verifyHistogramStored: () => isProbeStored(options.url, client, testid, probeMs, clock),
  });
  if (result.kind === "refused") {
    const advice = result.isTemporary
      ? " (--no-preflight starts all the same and keeps the samples in the spool)"
      : "";
    const isOld = result.reason === "http_400" && clock.nowMs() - probeMs > oldMs;
    const age = isOld
      ? `; the samples are of ${new Date(probeMs).toISOString()}, and Prometheus takes samples older than what it ` +
        "has only within storage.tsdb.out_of_order_time_window"
      : "";
    throw new ReceiverError(`${result.text}${age}; nothing was started${advice}`);
  }
  const { protocol, nativeHistograms } = result;
  const notices: string[] = [];
  if (options.protocol === "auto" && protocol === "1") {
    notices.push(`${client.displayUrl} does not speak remote write 2.0; sending 1.0`);
  }
  const form = trendFormOf(options.trends, nativeHistograms, client.displayUrl, notices);
  return { protocol, trendForm: form, notices };
}

function trendFormOf(
  trends: RemoteWriteOptions["trends"],
  nativeHistograms: boolean | "unverified",
  url: string,
  notices: string[],
): TrendForm {
  if (trends === "auto") {
    if (nativeHistograms === true) return "native";
    const why =
      nativeHistograms === false
        ? "does not store native histograms"
        : "cannot be asked whether it stores native histograms";
    notices.push(
      `${url} ${why}; trends are sent as classic histograms, whose quantiles are coarser ` +
        "(Prometheus 2.40 to 3.8 stores native ones with --enable-feature=native-histograms)",
    );
    return "classic";
  }
  if (trends === "native" && nativeHistograms === false) {
    throw new ReceiverError(
      `${url} does not store native histograms, and --trends native asks for them; ` +
        "use --trends auto or --trends classic, or start Prometheus with --enable-feature=native-histograms",
    );
  }
  if (trends === "native" && nativeHistograms === "unverified") {
    notices.push(
      `${url} cannot be asked whether it stores native histograms; sending them all the same`,
    );
  }
  return trends;
}

/** What every receiver understands. */
function unasked({ protocol, trends }: RemoteWriteOptions): Agreement {
  const form = trends === "auto" ? "classic" : trends;
  const chosen = protocol === "auto" ? "1" : protocol;
  const notice =
    `the receiver was not asked what it takes (--no-preflight): ` +
    `sending remote write ${chosen}.0 with trends ${form}`;
  return {
    protocol: chosen,
    trendForm: form,
    notices: protocol === "auto" || trends === "auto" ? [notice] : [],
  };
}

const probeName = "plimsoll_probe";

function probeBatch(
  protocol: RemoteWriteProtocol,
  { float, histogram }: ProbePoints,
  testid: string,
  timestampMs: number,
): EncodedBatch {
  const batches: EncodedBatch[] = [];
  const encoder = new BatchEncoder(protocol, (batch) => batches.push(batch));
  if (float) encoder.float(probeSeries(0, "gauge", testid), timestampMs, 1, 0);
  if (histogram) {
    const observed = new ExponentialHistogram();
    observed.observe(1);
    encoder.histogram(probeSeries(1, "histogram", testid), timestampMs, observed, 0);
  }
  encoder.flush();
  const [batch] = batches;
  if (!batch) throw new Error("a probe request holds at least one point");
  return batch;
}

function probeSeries(id: number, type: "gauge" | "histogram", testid: string): OutputSeries {
  const name = type === "gauge" ? probeName : `${probeName}_histogram`;
  const labels: Label[] = [
    { name: "__name__", value: name },
    { name: "testid", value: testid },
  ];
  const help = "asked by plimsoll before a run: does the store take this?";
  return {
    id,
    labels: labels.sort(byName),
    family: { name, type, help, unit: "" },
    isNative: type === "histogram",
  };
}

async function isProbeStored(
  writeUrl: string,
  client: RemoteWriteClient,
  testid: string,
  timestampMs: number,
  clock: Clock,
): Promise<boolean | undefined> {
  const url = queryUrlOf(writeUrl);
  if (!url) return undefined;
  const expression = `${probeName}_histogram{testid=${JSON.stringify(testid)}}`;
  for (let attempt = 1; ; attempt++) {
    const count = await countSeries(client, url, expression, timestampMs);
    if (count === undefined) return undefined;
    if (count > 0) return true;
    if (attempt === verifyTries) return false;
    await clock.sleep(verifyIntervalMs);
  }
}

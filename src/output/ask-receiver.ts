/**
 * Asks the receiver what it takes with a tiny real request, because a store that drops what it does not know says nothing
 * when it does: the numbers would be missing, and nobody would be told.
 */
import { ExponentialHistogram } from "../aggregate/exponential-histogram.ts";
import type { OutputSeries } from "../aggregate/series-point.ts";
import type { Clock } from "../clock.ts";
import type { RemoteWriteOptions } from "../config/options.ts";
import { BatchEncoder } from "../encode/batch-encoder.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import { toLabels } from "../encode/labels.ts";
import { countSeries, queryUrlOf } from "../query/instant-query.ts";
import type { Tags } from "../sample/sample.ts";
import { probe, type ProbePoints, type ProbeResult } from "../send/probe.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";

/** How often, and how long apart, the store is asked for the histogram it was just sent. */
const verifyTries = 5;
const verifyIntervalMs = 200;

export interface AskContext {
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number;
  /**
   * Of the points that ask: `testid`, and what tells the generators of one run apart. Each asks at its own time, and a
   * store takes no older point of a series after a newer one.
   */
  readonly tags: Tags;
  /**
   * The time of the points that ask, Unix milliseconds: that of the run. A point of now would make a store that
   * holds nothing yet refuse the samples of an old run.
   */
  readonly probeMs: number;
}

export async function askReceiver(
  { url, protocol }: Pick<RemoteWriteOptions, "url" | "protocol">,
  client: RemoteWriteClient,
  { clock, random, tags, probeMs }: AskContext,
): Promise<ProbeResult> {
  return await probe({
    client,
    protocol,
    clock,
    random,
    // Always the same time and value, which a store takes any number of times.
    encode: (version, points) => probeBatch(version, points, tags, probeMs),
    verifyHistogramStored: () => isProbeStored(url, client, tags, probeMs, clock),
  });
}

const probeName = "plimsoll_probe";

/** A tiny real request. Its points have no other labels than these tags, and always have the same value. */
export function probeBatch(
  protocol: RemoteWriteProtocol,
  { float, histogram }: ProbePoints,
  tags: Tags,
  timestampMs: number,
): EncodedBatch {
  const batches: EncodedBatch[] = [];
  const encoder = new BatchEncoder(protocol, (batch) => batches.push(batch));
  if (float) encoder.float(probeSeries(0, "gauge", tags), timestampMs, 1, 0);
  if (histogram) {
    const observed = new ExponentialHistogram();
    observed.observe(1);
    encoder.histogram(probeSeries(1, "histogram", tags), timestampMs, observed, 0);
  }
  encoder.flush();
  const [batch] = batches;
  if (!batch) throw new Error("a probe request holds at least one point");
  return batch;
}

function probeSeries(id: number, type: "gauge" | "histogram", tags: Tags): OutputSeries {
  const name = type === "gauge" ? probeName : `${probeName}_histogram`;
  const help = "asked by plimsoll before a run: does the store take this?";
  return {
    id,
    labels: toLabels([{ name: "__name__", value: name }], tags),
    family: { name, type, help, unit: "" },
    isNative: type === "histogram",
  };
}

async function isProbeStored(
  writeUrl: string,
  client: RemoteWriteClient,
  tags: Tags,
  timestampMs: number,
  clock: Clock,
): Promise<boolean | undefined> {
  const url = queryUrlOf(writeUrl);
  if (!url) return undefined;
  const matchers = toLabels([], tags).map(({ name, value }) => `${name}=${JSON.stringify(value)}`);
  const expression = `${probeName}_histogram{${matchers.join()}}`;
  for (let attempt = 1; ; attempt++) {
    const count = await countSeries(client, url, expression, timestampMs);
    if (count === undefined) return undefined;
    if (count > 0) return true;
    if (attempt === verifyTries) return false;
    await clock.sleep(verifyIntervalMs);
  }
}

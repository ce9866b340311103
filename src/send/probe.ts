/**
 * Finds out before a run what the receiver takes: which protocol, and native histograms or not.
 *
 * In:  a client, and the caller's encoder of tiny real requests (an empty request has nothing to count, and
 * some receivers refuse it). Out: what to encode, or why the receiver cannot be used, for a person.
 * Source: Remote-Write 2.0, "Required Written Response Headers"; the answers of real receivers are in
 * test/integration/probe.test.ts.
 */
import type { Clock } from "../clock.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import { adviceFor } from "./advice.ts";
import { backoffMs } from "./backoff.ts";
import { networkFailure } from "./network-error.ts";
import type { RemoteWriteClient } from "./remote-write-client.ts";
import type { RetryOutcome, SendOutcome, SentOutcome } from "./send-outcome.ts";

/** Which points a probe request holds. At least one of them. */
export interface ProbePoints {
  readonly float: boolean;
  readonly histogram: boolean;
}

export interface ProbeOptions {
  readonly client: Pick<RemoteWriteClient, "send" | "displayUrl">;
  /** Makes a request with one point of each kind; timestamps as the receiver takes them, e.g. now. */
  readonly encode: (protocol: RemoteWriteProtocol, points: ProbePoints) => EncodedBatch;
  /** `auto` prefers 2.0. A forced protocol is still tried, and native histograms found out. */
  readonly protocol: RemoteWriteProtocol | "auto";
  readonly clock: Clock;
  /** Numbers from 0 up to, not including, 1, for the jitter of the backoff. */
  readonly random: () => number;
  /** How long the receiver may be away, e.g. while it starts. Default 5 s. */
  readonly timeoutMs?: number;
  /**
   * Looks in the store for the histogram of the last probe request. 1.0 has no counts, and a receiver may
   * drop histograms in silence (VictoriaMetrics 1.79 does). `undefined`: the store cannot be asked. Takes
   * as long as it takes: a store may show a point only seconds after it took it.
   */
  readonly verifyHistogramStored?: () => Promise<boolean | undefined>;
}

export type ProbeResult = ProbeAccepted | ProbeRefused;

export interface ProbeAccepted {
  readonly kind: "accepted";
  readonly protocol: RemoteWriteProtocol;
  /** `unverified`: accepted under 1.0, and nobody could say whether they were stored. */
  readonly nativeHistograms: boolean | "unverified";
}

export interface ProbeRefused {
  readonly kind: "refused";
  /** As in `SendOutcome`: `http_404`, `connection_refused`, `html_answer`, …, or `unsupported`. */
  readonly reason: string;
  /** The receiver is away, and may take the same bytes later. */
  readonly isTemporary: boolean;
  /** One sentence, with the URL and what to do. */
  readonly text: string;
}

const defaultTimeoutMs = 5_000;

/** Asks until there is an answer or `timeoutMs` is over, then looks into the store where only that can tell. */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const result = await askReceiver(options);
  if (result.kind !== "accepted" || result.nativeHistograms !== "unverified") return result;
  const nativeHistograms = (await options.verifyHistogramStored?.()) ?? "unverified";
  return { ...result, nativeHistograms };
}

async function askReceiver(options: ProbeOptions): Promise<ProbeResult> {
  const { clock, random, client, timeoutMs = defaultTimeoutMs } = options;
  const deadline = new AbortController();
  const finished = new AbortController();
  const timeout = clock.sleep(timeoutMs, finished.signal).then(
    () => deadline.abort(),
    () => {
      // There was an answer before.
    },
  );
  let refusal: Refusal = { kind: "retry", ...networkFailure("timeout", `${timeoutMs} ms`) };
  try {
    for (let attempt = 1; ; attempt++) {
      const result = await probeOnce(options, deadline.signal);
      if (result.kind === "accepted") return result;
      refusal = result;
      if (refusal.kind !== "retry" || isMisdirected(refusal)) {
        return explain(client.displayUrl, refusal);
      }
      await clock.sleep(backoffMs(attempt, refusal.retryAfterMs, random), deadline.signal);
    }
  } catch (error) {
    if (!deadline.signal.aborted) throw error;
    return explain(client.displayUrl, refusal);
  } finally {
    finished.abort();
    await timeout;
  }
}

type Refusal = Exclude<SendOutcome, SentOutcome>;

/**
 * Asks from the best to the least, without waiting. A receiver that is away ends it, and the caller begins
 * again at the best: one that becomes ready in between must not be taken for one that can do less.
 */
async function probeOnce(
  { client, encode, protocol }: ProbeOptions,
  signal: AbortSignal,
): Promise<ProbeAccepted | Refusal> {
  const ask = (version: RemoteWriteProtocol, points: ProbePoints) =>
    client.send(encode(version, points), 0, signal);

  if (protocol !== "1") {
    const both = await ask("2", { float: true, histogram: true });
    // Stored, or stored in part: the receiver understands the message.
    if (both.kind === "sent" || (both.kind === "rejected" && both.samplesWritten > 0)) {
      return accept("2", both.histogramsWritten > 0);
    }
    // Another protocol or other points change nothing about the URL or the credentials.
    if (isAway(both) || both.kind === "held") return both;
    if (both.kind === "retry") {
      // A 5xx stores nothing of the request; perhaps it was only about the histogram.
      const float = await ask("2", { float: true, histogram: false });
      if (float.kind === "sent") return accept("2", false);
    }
    if (protocol === "2") return both;
  }

  const float = await ask("1", { float: true, histogram: false });
  if (float.kind !== "sent") return float;
  const histogram = await ask("1", { float: false, histogram: true });
  if (histogram.kind !== "sent") return isAway(histogram) ? histogram : accept("1", false);
  return accept("1", "unverified");
}

function accept(
  protocol: RemoteWriteProtocol,
  nativeHistograms: ProbeAccepted["nativeHistograms"],
): ProbeAccepted {
  return { kind: "accepted", protocol, nativeHistograms };
}

/**
 * The receiver is not there, or not now. Any other 5xx is its answer to this request: Prometheus 2.42
 * answers 500 to each native histogram while the feature is off.
 */
function isAway(outcome: Refusal): boolean {
  return outcome.kind === "retry" && !/^http_5(?!0[234]$)/.test(outcome.reason);
}

/** Something answers at this address, and waiting does not make it a receiver. */
function isMisdirected({ reason }: RetryOutcome): boolean {
  return reason === "tls" || reason === "not_http" || reason === "credentials_refused";
}

function explain(url: string, refusal: Refusal): ProbeRefused {
  const reason = refusal.kind === "unsupported" ? "unsupported" : refusal.reason;
  const advice = adviceFor(reason);
  return {
    kind: "refused",
    reason,
    isTemporary: refusal.kind === "retry",
    text: `remote write to ${JSON.stringify(url)} does not work: ${refusal.text}${advice && `; ${advice}`}`,
  };
}

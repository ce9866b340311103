/**
 * Decides how to speak to the receiver: which protocol, and how to send distributions.
 *
 * In:  the options, and what the receiver says that it takes (ask-receiver.ts). Out: an agreement, or why there is none.
 */
import type { RemoteWriteOptions } from "../config/options.ts";
import type { RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import type { TrendForm } from "../encode/prometheus-mapper.ts";
import { ReceiverError } from "../errors.ts";
import type { ProbeAccepted } from "../send/probe.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";
import { type AskContext, askReceiver } from "./ask-receiver.ts";

export interface Agreement {
  readonly protocol: RemoteWriteProtocol;
  readonly trendForm: TrendForm;
  /** What the user did not ask for and should know. */
  readonly notices: readonly string[];
}

/** From this age on a refusal may be about the age. Mimir's and Prometheus' in-order window is an hour. */
const oldMs = 10 * 60_000;

/** @throws ReceiverError if the receiver cannot be used, or not in the way that the options insist on */
export async function negotiate(
  options: RemoteWriteOptions,
  client: RemoteWriteClient,
  context: AskContext,
): Promise<Agreement> {
  if (!options.preflight) return unasked(options);
  const { clock, probeMs } = context;
  const result = await askReceiver(options, client, context);
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
  return agree(options, result, client.displayUrl);
}

/**
 * What follows from a receiver's answer.
 *
 * @throws ReceiverError if the options insist on what it does not store
 */
export function agree(
  options: Pick<RemoteWriteOptions, "protocol" | "trends">,
  { protocol, nativeHistograms }: ProbeAccepted,
  url: string,
): Agreement {
  const notices: string[] = [];
  if (options.protocol === "auto" && protocol === "1") {
    notices.push(`${url} does not speak remote write 2.0; sending 1.0`);
  }
  const trendForm = trendFormOf(options.trends, nativeHistograms, url, notices);
  return { protocol, trendForm, notices };
}

/**
 * What is sent to a receiver that was asked. Adds to `notices` what the user should know.
 *
 * @throws ReceiverError if the options insist on what it does not store
 */
export function trendFormOf(
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
        "(Prometheus 2.40 to 3.7 stores native ones with --enable-feature=native-histograms)",
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
export function unasked({
  protocol,
  trends,
}: Pick<RemoteWriteOptions, "protocol" | "trends">): Agreement {
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

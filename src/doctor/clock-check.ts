/**
 * How far this machine's clock is from the receiver's, by the `Date` of any answer, and how sure that is.
 */
import type { Clock } from "../clock.ts";
import type { RemoteWriteClient } from "../send/remote-write-client.ts";
import type { Check } from "./check.ts";
import { askTime } from "./store-status.ts";

/** Beyond this the curves of a run are beside those of the system's own metrics. A scrape is no closer. */
const visibleSkewMs = 5_000;
/** A receiver refuses what is further in its future. Source: Prometheus, `storage/remote/write_handler.go`. */
const refusedSkewMs = 10 * 60_000;
/** `Date` has whole seconds; on average half of one is cut. Source: RFC 9110, 6.6.1. */
const dateResolutionMs = 1_000;

export async function checkClock(
  writeUrl: string,
  client: RemoteWriteClient,
  clock: Clock,
): Promise<Check> {
  const check = "clock";
  const sentMs = clock.nowMs();
  const date = (await askTime(writeUrl, client))?.headers["date"];
  const tripMs = clock.nowMs() - sentMs;
  const theirMs = typeof date === "string" ? Date.parse(date) : NaN;
  if (!Number.isFinite(theirMs)) {
    const text = "the receiver does not say what time it is";
    return { check, level: "ok", text, facts: { skewSeconds: null, errorSeconds: null } };
  }
  const skewMs = sentMs + tripMs / 2 - (theirMs + dateResolutionMs / 2);
  const errorMs = (tripMs + dateResolutionMs) / 2;
  const facts = { skewSeconds: skewMs / 1_000, errorSeconds: errorMs / 1_000 };
  const surelyMs = Math.max(0, Math.abs(skewMs) - errorMs);
  const seconds = `${(Math.abs(skewMs) / 1_000).toFixed(1)} s (± ${(errorMs / 1_000).toFixed(1)} s)`;
  if (surelyMs < visibleSkewMs) {
    return { check, level: "ok", text: `the clocks agree within ${seconds}`, facts };
  }
  const text = `this machine's clock is ${seconds} ${skewMs > 0 ? "ahead of" : "behind"} the receiver's`;
  const change = "set both clocks by NTP";
  if (skewMs > 0 && surelyMs > refusedSkewMs) {
    const refusal = `${text}; it refuses points from more than 10 minutes ahead`;
    return { check, level: "problem", text: refusal, change, facts };
  }
  const beside = `${text}; what a run measures is beside the system's own metrics by as much`;
  return { check, level: "warning", text: beside, change, facts };
}

/**
 * The end of a run as k6 v2.2 notifies of it: a code for what ended it, and a reason in words.
 *
 * Source: k6 `internal/cloudapi/provisioning/notify.go` (v2.2.0).
 */
import { z } from "zod";
import type { ReportedEnd } from "../../runs/run-service.ts";
import { readBody } from "./read-request.ts";

const notification = z.object({
  event_type: z.literal("script_execution_completed"),
  error: z.object({ code: z.int(), reason: z.string().optional() }).nullable().optional(),
});

const codes = { interrupted: 8036, scriptError: 8035, timeoutOrOutput: 8034 };

/** A reason holds the script's stack, which nobody reads to its end. */
const maxReasonLength = 2_000;

/**
 * An unknown code, and 0 for a test that its script marked as failed, are aborts by the system.
 *
 * @throws ApiError for a body that is no notification
 */
export function readNotification(body: unknown): ReportedEnd {
  const { error } = readBody(notification, body);
  if (error === null || error === undefined) return { state: "finished" };
  const reason = error.reason?.slice(0, maxReasonLength) ?? "";
  return { state: stateOf(error.code, reason), ...(reason !== "" && { reason }) };
}

function stateOf(code: number, reason: string): ReportedEnd["state"] {
  switch (code) {
    case codes.interrupted:
      return "interrupted";
    case codes.scriptError:
      return "aborted_by_script_error";
    case codes.timeoutOrOutput:
      // "setup() execution timed out after 60 seconds"; else an output asked to stop.
      return /time(?:d )?out/i.test(reason) ? "aborted_by_limit" : "aborted_by_system";
    default:
      return "aborted_by_system";
  }
}

/**
 * Decides what one HTTP answer means for the request that it answers.
 *
 * In:  status, headers and the beginning of the body; what was sent. Out: a `SendOutcome`.
 * Source: Remote-Write 1.0 and 2.0, "Responses" and "Retries & Backoff". The body's text is shown to
 * people and decides nothing: 2.0 forbids to interpret it.
 */
import type { EncodedBatch } from "../encode/encoded-batch.ts";
import { parseRetryAfterMs } from "./backoff.ts";
import type { SendOutcome } from "./send-outcome.ts";

export interface ReceiverAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The beginning of the body is enough. */
  readonly body: string;
}

/** What the answer is about: the counts decide how a partial write is reported. */
export type SentCounts = Pick<EncodedBatch, "protocol" | "samples" | "histograms">;

const writtenHeaders = {
  samples: "x-prometheus-remote-write-samples-written",
  histograms: "x-prometheus-remote-write-histograms-written",
  exemplars: "x-prometheus-remote-write-exemplars-written",
} as const;

/** Of 4xx, those that pass by themselves: the receiver gave up waiting, does not dare yet, or is overloaded. */
const passingStatuses = new Set([408, 425, 429]);

/** Of 4xx, those that are about the URL, the credentials or a proxy's, whatever the request holds. */
const configurationStatuses = new Set([401, 403, 404, 405, 407, 410]);

/** @param speaks2 The receiver has confirmed a request of 2.0 before: what denies it now is not the receiver. */
export function classifyResponse(
  answer: ReceiverAnswer,
  sent: SentCounts,
  nowMs: number,
  speaks2 = false,
): SendOutcome {
  const { status } = answer;
  const reason = `http_${status}`;
  const text = describeAnswer(answer);
  const written = readWritten(answer, sent);
  if (status >= 200 && status <= 299) {
    if (isHtml(answer)) {
      return {
        kind: "held",
        reason: "html_answer",
        text: `${text}: a web page answers at this URL (a login page or a wrong path?), so nothing was stored`,
      };
    }
    // A receiver that only knows 1.0 decodes a 2.0 message as an empty one, and is content with it.
    if (sent.protocol === "2" && !hasWrittenHeader(answer)) {
      // Some default backends of an ingress say "200 ok" while the receiver restarts.
      if (speaks2) {
        return {
          kind: "held",
          reason,
          text: `${text} without Written headers: what answers at this URL is not the receiver that took remote write 2.0 before, so nothing was stored`,
        };
      }
      return {
        kind: "unsupported",
        text: `${text} without Written headers: the receiver does not know remote write 2.0`,
      };
    }
    return { kind: "sent", ...written };
  }
  if (status >= 500 || passingStatuses.has(status)) {
    const retryAfter = header(answer, "retry-after");
    const retryAfterMs =
      retryAfter === undefined ? undefined : parseRetryAfterMs(retryAfter, nowMs);
    return { kind: "retry", reason, text, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (status === 415) {
    if (sent.protocol === "2" && !speaks2) return { kind: "unsupported", text };
    return {
      kind: "held",
      reason,
      text: `${text}: the receiver does not take remote write ${sent.protocol}.0${sent.protocol === "2" ? " any more" : ""}`,
    };
  }
  if (status >= 300 && status <= 399) {
    return {
      kind: "held",
      reason,
      text: `${text}: ${describeRedirect(answer)}; this is a configuration error, set the URL to the receiver itself`,
    };
  }
  if (configurationStatuses.has(status)) return { kind: "held", reason, text };
  if (status === 413) return { kind: "too_large", reason, text };
  return { kind: "rejected", reason, text, ...written };
}

/** 1.0 has no partial writes and no counts: all with 2xx, nothing otherwise. In 2.0 a missing header is 0. */
function readWritten(
  answer: ReceiverAnswer,
  sent: SentCounts,
): { readonly samplesWritten: number; readonly histogramsWritten: number } {
  const isSuccess = answer.status <= 299;
  if (sent.protocol === "1") {
    return {
      samplesWritten: isSuccess ? sent.samples : 0,
      histogramsWritten: isSuccess ? sent.histograms : 0,
    };
  }
  // Never more than was sent, so that what is delivered and what is not add up.
  return {
    samplesWritten: Math.min(readCount(answer, writtenHeaders.samples), sent.samples),
    histogramsWritten: Math.min(readCount(answer, writtenHeaders.histograms), sent.histograms),
  };
}

function readCount(answer: ReceiverAnswer, name: string): number {
  const value = header(answer, name)?.trim() ?? "";
  return /^\d+$/.test(value) ? Number(value) : 0;
}

function hasWrittenHeader(answer: ReceiverAnswer): boolean {
  return Object.values(writtenHeaders).some((name) => header(answer, name) !== undefined);
}

function header(answer: ReceiverAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function isHtml(answer: ReceiverAnswer): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(header(answer, "content-type") ?? "");
}

/** One line for a person; a page's markup would tell nothing. */
function describeAnswer(answer: ReceiverAnswer): string {
  const status = `HTTP ${answer.status}`;
  if (isHtml(answer)) return `${status} with an HTML page`;
  // Control characters could move a terminal's cursor.
  const body = answer.body.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return body === "" ? status : `${status}: ${body}`;
}

/** Where to, without query string and credentials. */
function describeRedirect(answer: ReceiverAnswer): string {
  const location = header(answer, "location");
  if (location === undefined) return "a redirect without a target";
  // Relative targets are common, and stay relative here.
  const base = "http://receiver.invalid";
  if (!URL.canParse(location, base)) return "a redirect to something that is not a URL";
  const { origin, pathname } = new URL(location, base);
  return `a redirect to ${JSON.stringify(origin === base ? pathname : origin + pathname)}`;
}

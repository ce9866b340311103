/**
 * What became of one request. Expected outcomes are values; nothing here is thrown.
 */

export type SendOutcome = SentOutcome | RetryOutcome | RejectedOutcome | UnsupportedOutcome;

/** The receiver stored the request. For remote write 2.0 the counts are its Written headers. */
export interface SentOutcome {
  readonly kind: "sent";
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
}

/** Worth another try of the same bytes: 5xx, 429, 408, a network error, a time-out. */
export interface RetryOutcome {
  readonly kind: "retry";
  /** A short, stable reason for counting, e.g. `http_503`, `timeout`, `connection_refused`. */
  readonly reason: string;
  /** What the receiver or the network said, for a person. */
  readonly text: string;
  /** What `Retry-After` asks for, if it was sent. */
  readonly retryAfterMs?: number;
}

/** Never worth another try of the same bytes: another 4xx, a redirect, an answer that is not an answer. */
export interface RejectedOutcome {
  readonly kind: "rejected";
  /** A short, stable reason for counting, e.g. `http_400`. */
  readonly reason: string;
  readonly text: string;
  /** What remote write 2.0 says it stored all the same. */
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
}

/** The receiver does not speak remote write 2.0 (415, or 2xx without Written headers): nothing was stored. */
export interface UnsupportedOutcome {
  readonly kind: "unsupported";
  readonly text: string;
}

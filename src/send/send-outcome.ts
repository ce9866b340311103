/**
 * What became of one request. Expected outcomes are values; nothing here is thrown.
 *
 * docs/delivery.md has which answer is which, and what is done about it.
 */

export type SendOutcome =
  SentOutcome | RetryOutcome | HeldOutcome | TooLargeOutcome | RejectedOutcome | UnsupportedOutcome;

/** The receiver stored the request. For remote write 2.0 the counts are its Written headers. */
export interface SentOutcome {
  readonly kind: "sent";
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
}

/** Worth another try of the same bytes: 5xx, 429, 408, 425, a network error, a time-out. */
export interface RetryOutcome {
  readonly kind: "retry";
  /** A short, stable reason for counting, e.g. `http_503`, `timeout`, `connection_refused`. */
  readonly reason: string;
  /** What the receiver or the network said, for a person. */
  readonly text: string;
  /** What `Retry-After` asks for, if it was sent. */
  readonly retryAfterMs?: number;
}

/**
 * About the URL, the credentials or the protocol, not about the points: 401, 403, 404, 405, 407, 410, a redirect, a web
 * page, 415 to 1.0, and what denies 2.0 (415, 2xx without Written headers) where it was confirmed before.
 * Any other request would get the same answer until a person has put it right.
 */
export interface HeldOutcome {
  readonly kind: "held";
  /** A short, stable reason, e.g. `http_401`, `html_answer`. */
  readonly reason: string;
  readonly text: string;
}

/** Too much for one request: the same points may pass in smaller ones. */
export interface TooLargeOutcome {
  readonly kind: "too_large";
  /** `http_413`; `http_429` where that is all the receiver ever says. */
  readonly reason: string;
  readonly text: string;
}

/** Never worth another try of the same bytes: another 4xx. */
export interface RejectedOutcome {
  readonly kind: "rejected";
  /** A short, stable reason for counting, e.g. `http_400`. */
  readonly reason: string;
  readonly text: string;
  /** What remote write 2.0 says it stored all the same. */
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
}

/** Of 2.0 only: the receiver does not speak it (415, or 2xx without Written headers), so nothing was stored. */
export interface UnsupportedOutcome {
  readonly kind: "unsupported";
  readonly text: string;
}

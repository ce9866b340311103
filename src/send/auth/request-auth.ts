/**
 * The one hook through which a request gets its credentials, whatever their kind.
 *
 * `prepare` runs for each attempt, redirects included, with the request as it will be on the wire. So a signature is
 * made anew for every try, a token is renewed before it expires, and a file that has changed is read again, and
 * nothing else of the sender knows about it.
 */

/** What a signature covers. */
export interface OutgoingRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As sent, so after compression. Empty for GET. */
  readonly body: Uint8Array;
}

/** Expected outcomes are values; nothing is thrown. */
export type Preparation = PreparedCredentials | MissingCredentials;

export interface PreparedCredentials {
  readonly kind: "ready";
  /** To add to the request's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** What no message may show, even where the receiver does. */
  readonly secrets: readonly string[];
}

export interface MissingCredentials {
  readonly kind: "missing";
  /** `refused`: asking again changes nothing, somebody has to correct it; `unavailable`: it may. */
  readonly reason: "credentials_refused" | "credentials_unavailable";
  /** What happened and what to do; holds no secret. */
  readonly text: string;
}

export interface RequestAuth {
  prepare(request: OutgoingRequest): Promise<Preparation>;
  /**
   * The receiver refused the credentials: has them fetched or read anew.
   *
   * @returns Whether there are others than the last prepared ones, so that another try can end differently.
   */
  refresh(): Promise<boolean>;
  close(): Promise<void>;
}

/** Whether `text` may be sent as a header's value. Source: RFC 9110, section 5.5. */
export function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]+$/.test(text);
}

export function redactSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== "")
    .reduce((redacted, secret) => redacted.replaceAll(secret, "***"), text);
}

/**
 * For a text of which the rest is not known: leaves out the end that is the beginning of a secret. Redacting what stands
 * before it may have moved it anywhere.
 */
export function withoutHalfSecret(text: string, secrets: readonly string[]): string {
  const halves = secrets.map((secret) => {
    let length = Math.min(secret.length, text.length);
    while (length > 0 && !text.endsWith(secret.slice(0, length))) length -= 1;
    return length;
  });
  return text.slice(0, text.length - Math.max(0, ...halves));
}

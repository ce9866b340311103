/**
 * Authentication by one secret that is sent as it is: basic, bearer, and every other scheme with a token.
 *
 * In:  a password or a token, fixed or in a file. Out: the header `Authorization`.
 * Source: RFC 7617 (the text is UTF-8), RFC 6750, RFC 9110, section 11.4.
 */
import type { TextSource } from "../text-source.ts";
import { isHeaderValue, type Preparation, type RequestAuth } from "./request-auth.ts";

/** The header's value from the secret. */
type Format = (secret: string) => { readonly scheme: string; readonly credentials: string };

class SecretAuth implements RequestAuth {
  readonly #source: TextSource;
  readonly #format: Format;
  #used: string | undefined;

  constructor(source: TextSource, format: Format) {
    this.#source = source;
    this.#format = format;
  }

  async prepare(): Promise<Preparation> {
    const secret = await this.#source.read();
    this.#used = secret;
    const { scheme, credentials } = this.#format(secret);
    if (!isHeaderValue(credentials)) {
      return {
        kind: "missing",
        reason: "credentials_refused",
        text: "the token cannot be sent in a header: expected one line; does its file hold more than the token?",
      };
    }
    return {
      kind: "ready",
      headers: { Authorization: `${scheme} ${credentials}` },
      secrets: [credentials, secret],
    };
  }

  async refresh(): Promise<boolean> {
    // Before the wait: another queue may use the new one in the meantime.
    const refused = this.#used;
    return (await this.#source.reread()) !== refused;
  }

  async close(): Promise<void> {}
}

export function basicAuth(username: string, password: TextSource): RequestAuth {
  return new SecretAuth(password, (secret) => ({
    scheme: "Basic",
    credentials: Buffer.from(`${username}:${secret}`, "utf8").toString("base64"),
  }));
}

/** @param scheme `Bearer`, or whatever the receiver asks for. */
export function tokenAuth(scheme: string, token: TextSource): RequestAuth {
  return new SecretAuth(token, (secret) => ({ scheme, credentials: secret }));
}

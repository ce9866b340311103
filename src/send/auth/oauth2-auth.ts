/**
 * OAuth 2.0, client credentials: a token from the identity provider, sent to the receiver.
 *
 * In:  a client's id and secret, a token endpoint. Out: `Authorization: Bearer …`. One token is kept until shortly before
 * it expires; however many requests wait for it, it is fetched once.
 * Source: RFC 6749, sections 2.3.1, 4.4 and 5. The id and the secret go into the header, and into the body where the
 * endpoint wants that: so does Go's `golang.org/x/oauth2`, and with it Prometheus.
 */
import type { Clock } from "../../clock.ts";
import { describeNetworkError } from "../network-error.ts";
import type { TextSource } from "../text-source.ts";
import type { Transport } from "../transport.ts";
import {
  isHeaderValue,
  redactSecrets,
  type MissingCredentials,
  type Preparation,
  type RequestAuth,
} from "./request-auth.ts";

export interface OAuth2Options {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: TextSource;
  readonly scopes: readonly string[];
  /** Further parameters of the token request, e.g. `audience`. */
  readonly endpointParams: ReadonlyMap<string, string>;
  /** To the token endpoint. Closed with this. */
  readonly transport: Transport;
  /** For one token request and its answer. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly clock: Clock;
}

interface Token {
  readonly kind: "token";
  readonly scheme: string;
  readonly credentials: string;
  /** Unix milliseconds; Infinity where the endpoint does not say. */
  readonly expiresAtMs: number;
}

/** A token is not used for its last seconds. Source: `golang.org/x/oauth2`, `defaultExpiryDelta`. */
const expiryMarginMs = 10_000;

/** Beyond this an answer is no token. Source: `golang.org/x/oauth2/internal`, `doTokenRoundTrip`. */
const answerLimitBytes = 2 ** 20;

/** What is shown of an answer that is no error in the sense of RFC 6749. */
const shownCharacters = 200;

export class OAuth2Auth implements RequestAuth {
  readonly #options: OAuth2Options;
  readonly #url: URL;
  #token: Token | undefined;
  /** Of the last request: another queue's refresh may have fetched a newer one that nobody has sent yet. */
  #used: string | undefined;
  #pending: Promise<Token | MissingCredentials> | undefined;
  /** Gives up the token request that is under way; there is one at a time. */
  #controller = new AbortController();
  /** Where the endpoint wants the id and the secret; the header until it has refused them there. */
  #place: "header" | "body" = "header";

  constructor(options: OAuth2Options) {
    this.#options = options;
    this.#url = new URL(options.tokenUrl);
  }

  async prepare(): Promise<Preparation> {
    const isFresh =
      this.#token !== undefined &&
      this.#options.clock.nowMs() < this.#token.expiresAtMs - expiryMarginMs;
    const token = isFresh ? this.#token : await this.#renew();
    if (token?.kind !== "token") return token ?? this.#missing("unavailable", "gave no token");
    this.#used = token.credentials;
    return {
      kind: "ready",
      headers: { Authorization: `${token.scheme} ${token.credentials}` },
      secrets: [token.credentials],
    };
  }

  async refresh(): Promise<boolean> {
    const refused = this.#used;
    await this.#options.clientSecret.reread();
    const token = await this.#renew();
    return token.kind === "token" && token.credentials !== refused;
  }

  /** Gives up a token request that is under way. */
  async close(): Promise<void> {
    this.#controller.abort(new Error("the authentication is closed"));
    await this.#options.transport.close();
  }

  #renew(): Promise<Token | MissingCredentials> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<Token | MissingCredentials> {
    const secret = await this.#options.clientSecret.read();
    let answer = await this.#ask(this.#place, secret);
    if (answer.kind === "refused") {
      const other = this.#place === "header" ? "body" : "header";
      const second = await this.#ask(other, secret);
      // The first refusal is the one to show: it is about the place that used to be right.
      if (second.kind === "token") {
        this.#place = other;
        answer = second;
      }
    }
    if (answer.kind === "refused") return this.#missing("refused", answer.text);
    if (answer.kind === "token") this.#token = answer;
    return answer;
  }

  async #ask(
    place: "header" | "body",
    secret: string,
  ): Promise<Token | MissingCredentials | { readonly kind: "refused"; readonly text: string }> {
    const { clientId, scopes, endpointParams, transport, timeoutMs, userAgent, clock } =
      this.#options;
    const basic = Buffer.from(`${formEncode(clientId)}:${formEncode(secret)}`).toString("base64");
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      ...(scopes.length > 0 && { scope: scopes.join(" ") }),
      ...Object.fromEntries(endpointParams),
      ...(place === "body" && { client_id: clientId, client_secret: secret }),
    });
    // Not AbortSignal.any: on Node 20 each call leaves listeners on a long-lived signal.
    const controller = new AbortController();
    this.#controller = controller;
    let isTimeout = false;
    const timer = setTimeout(() => {
      isTimeout = true;
      controller.abort();
    }, timeoutMs);
    const secrets = [basic, formEncode(secret), secret, ...endpointParams.values()];
    try {
      const dispatcher = await transport.dispatcher();
      const { statusCode, body } = await dispatcher.request({
        origin: this.#url.origin,
        path: this.#url.pathname + this.#url.search,
        method: "POST",
        headers: {
          Accept: "application/json",
          "Content-Type": "application/x-www-form-urlencoded",
          "User-Agent": userAgent,
          ...(place === "header" && { Authorization: `Basic ${basic}` }),
        },
        body: form.toString(),
        signal: controller.signal,
      });
      const nowMs = clock.nowMs();
      const text = await readLimited(body);
      if (statusCode === 200) {
        return toToken(text, nowMs) ?? this.#missing("refused", "answered without an access token");
      }
      const said = `answered HTTP ${statusCode}: ${describeError(text, secrets)}`;
      // 400 and 401 are RFC 6749's; others of the kind are no more about the moment.
      const isRefusal = statusCode >= 400 && statusCode < 500 && statusCode !== 429;
      return isRefusal ? { kind: "refused", text: said } : this.#missing("unavailable", said);
    } catch (error) {
      const failure = isTimeout
        ? { text: `no answer in ${timeoutMs} ms` }
        : describeNetworkError(error);
      if (failure === undefined) throw error;
      return this.#missing("unavailable", `cannot be asked: ${failure.text}`);
    } finally {
      clearTimeout(timer);
    }
  }

  #missing(reason: "refused" | "unavailable", what: string): MissingCredentials {
    const url = JSON.stringify(this.#url.origin + this.#url.pathname);
    return {
      kind: "missing",
      reason: `credentials_${reason}`,
      text: `the OAuth2 token endpoint ${url} ${what}`,
    };
  }
}

/** Source: RFC 6749, section 5.1. `undefined` for what is no token that can be sent. */
function toToken(text: string, nowMs: number): Token | undefined {
  const answer = parseObject(text);
  const credentials = answer["access_token"];
  const type = answer["token_type"] ?? "Bearer";
  // Some endpoints write the number as a text.
  const lifetimeSeconds = Number(answer["expires_in"] ?? Infinity);
  if (typeof credentials !== "string" || !isHeaderValue(credentials)) return undefined;
  if (typeof type !== "string" || !/^[\w-]+$/.test(type)) return undefined;
  return {
    kind: "token",
    // The type is compared without regard to case, and receivers expect the usual spelling.
    scheme: type.toLowerCase() === "bearer" ? "Bearer" : type,
    credentials,
    expiresAtMs: lifetimeSeconds > 0 ? nowMs + lifetimeSeconds * 1000 : Infinity,
  };
}

/** Source: RFC 6749, section 5.2. */
function describeError(text: string, secrets: readonly string[]): string {
  const { error, error_description: description } = parseObject(text);
  const parts = [error, description].filter((part) => typeof part === "string");
  if (parts.length > 0) return redactSecrets(parts.join(": "), secrets);
  // Before it is cut: half a secret would not be found.
  return redactSecrets(text.trim(), secrets).slice(0, shownCharacters);
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // A record of anything, whatever else it is.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // No JSON, so nothing that is looked for is in it.
  }
  return {};
}

async function readLimited(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > answerLimitBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Source: RFC 6749, section 2.3.1 and appendix B. */
function formEncode(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

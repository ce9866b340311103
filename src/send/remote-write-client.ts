/**
 * Sends one batch as one HTTP request.
 *
 * In:  an encoded batch, its body unchanged on the wire. Out: a `SendOutcome`; retries are the caller's.
 * Headers as in Remote-Write 1.0 and 2.0, "Protocol". Credentials go to the receiver's origin only and into
 * no message.
 */
import type { SecureVersion } from "node:tls";
import { Agent, type Dispatcher } from "undici";
import type { Clock } from "../clock.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import { classifyResponse, type ReceiverAnswer } from "./classify-response.ts";
import { describeNetworkError, type NetworkFailure, networkFailure } from "./network-error.ts";
import type { SendOutcome } from "./send-outcome.ts";

export interface RemoteWriteClientOptions {
  /** `http:` or `https:`. A user name and password in it become basic authentication. */
  readonly url: string;
  /** Name and version, e.g. `plimsoll/1.2.3`; both are a MUST. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** For the whole request, from connecting to the end of the answer. Default 30 s, as in Prometheus. */
  readonly timeoutMs?: number;
  readonly basic?: { readonly username: string; readonly password: string };
  /** Wins over basic authentication. */
  readonly bearerToken?: string;
  /** Sent with each request. The protocol's own names are refused by the configuration, not here. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: RemoteWriteTls;
}

/** Certificates and keys are PEM text. */
export interface RemoteWriteTls {
  /** Accepts any certificate. Default false. */
  readonly insecureSkipVerify?: boolean;
  /** Default: Node's, TLS 1.2. */
  readonly minVersion?: SecureVersion;
  /** The client's certificate and its key, for receivers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The authorities to trust, in place of Node's list. */
  readonly ca?: string;
}

const defaultTimeoutMs = 30_000;

/** What of an error's body is kept. Source: Prometheus, `storage/remote/client.go`. */
const keptBodyBytes = 1024;
/** Beyond this the connection is given up: a new one costs less than reading on. */
const discardedBodyBytes = 128 * 1024;

/** A redirect that leads to a redirect, and so on, ends here. */
const redirectLimit = 3;

/**
 * Longer than any sensible push interval, so that each push finds the connection open. A receiver that
 * closes earlier says so in `Keep-Alive`, which undici obeys.
 */
const keepAliveMs = 60_000;

/** The media type's parameter has no space: Prometheus would take `; proto=` for a 1.0 message. */
const protocolHeaders: Readonly<Record<RemoteWriteProtocol, Readonly<Record<string, string>>>> = {
  "1": {
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
  },
  "2": {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
  },
};

export class RemoteWriteClient implements AsyncDisposable {
  /** Where to, for messages: no credentials, no query string. */
  readonly displayUrl: string;
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #timeoutMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #secrets: readonly string[];
  readonly #clock: Clock;

  /** No I/O: the first request connects. Close with `close`. */
  constructor(options: RemoteWriteClientOptions) {
    this.#url = new URL(options.url);
    const { authorization, secrets } = resolveAuthorization(options, this.#url);
    this.#url.username = "";
    this.#url.password = "";
    this.displayUrl = this.#url.origin + this.#url.pathname;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#clock = options.clock;
    this.#secrets = secrets;
    this.#headers = {
      ...options.headers,
      ...(authorization !== undefined && { Authorization: authorization }),
      "Content-Encoding": "snappy",
      "User-Agent": options.userAgent,
    };
    const { insecureSkipVerify = false, ...tls } = options.tls ?? {};
    this.#agent = new Agent({
      // One request at a time, so one connection; without this undici opens a second one now and then.
      connections: 1,
      keepAliveTimeout: keepAliveMs,
      // The time-out below covers the whole request.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { ...tls, rejectUnauthorized: !insecureSkipVerify, timeout: this.#timeoutMs },
    });
  }

  /**
   * Sends once.
   *
   * @param attempt 0 for the first try, then counts up; receivers derive their `Retry-After` from it.
   * @param signal Gives the request up. Rejects with its reason; whether the batch was stored is not known.
   */
  async send(batch: EncodedBatch, attempt: number, signal?: AbortSignal): Promise<SendOutcome> {
    signal?.throwIfAborted();
    // Not AbortSignal.any with AbortSignal.timeout: on Node 20 each call leaves listeners on a long-lived signal.
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, this.#timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const answer = await this.#post(batch, attempt, controller.signal);
      return classifyResponse(answer, batch, this.#clock.nowMs());
    } catch (error) {
      signal?.throwIfAborted();
      const failure: NetworkFailure | undefined = controller.signal.aborted
        ? networkFailure("timeout", `${this.#timeoutMs} ms`)
        : describeNetworkError(error);
      if (failure === undefined) throw error;
      return { kind: "retry", ...failure };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * Asks the same store a question, with the same credentials and certificates. `url` is of the same origin. The
   * answer's JSON; undefined where there is none, for whatever reason.
   */
  async getJson(url: URL, timeoutMs: number): Promise<unknown> {
    const answer = await this.get(url, timeoutMs);
    if (answer?.status !== 200) return undefined;
    try {
      return JSON.parse(answer.body);
    } catch {
      // No JSON: the caller is told that the store cannot be asked.
      return undefined;
    }
  }

  /** As `getJson`, whatever the answer; undefined where none came. */
  async get(url: URL, timeoutMs: number): Promise<ReceiverAnswer | undefined> {
    if (url.origin !== this.#url.origin) throw new Error(`${url.origin} is not the receiver's`);
    const { "Content-Encoding": _, ...requestHeaders } = this.#headers;
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: "GET",
        headers: requestHeaders,
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: statusCode, headers, body: await body.text() };
    } catch {
      // Nobody there, or not in time.
      return undefined;
    }
  }

  /** Closes the connections; waits for a request that is under way. */
  async close(): Promise<void> {
    await this.#agent.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #post(batch: EncodedBatch, attempt: number, signal: AbortSignal): Promise<ReceiverAnswer> {
    let url = this.#url;
    for (let redirects = 0; ; redirects++) {
      const { statusCode, headers, body } = await this.#agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: "POST",
        headers: {
          ...this.#headers,
          ...protocolHeaders[batch.protocol],
          ...(attempt > 0 && { "Retry-Attempt": String(attempt) }),
        },
        // A complete buffer: undici adds Content-Length, which proxies and signatures need.
        body: batch.body,
        signal,
      });
      const text = this.#redact(await readBeginning(body));
      const target = redirectTarget(statusCode, headers, url);
      if (target === undefined || redirects === redirectLimit) {
        return { status: statusCode, headers, body: text };
      }
      url = target;
    }
  }

  /** Some proxies and test servers show the request in their answer. */
  #redact(text: string): string {
    return this.#secrets.reduce((redacted, secret) => redacted.replaceAll(secret, "***"), text);
  }
}

/** 307 and 308 keep method and body. Another origin must not get the credentials, so it is not followed. */
function redirectTarget(
  status: number,
  headers: Dispatcher.ResponseData["headers"],
  url: URL,
): URL | undefined {
  const { location } = headers;
  if ((status !== 307 && status !== 308) || typeof location !== "string") return undefined;
  if (!URL.canParse(location, url.href)) return undefined;
  const target = new URL(location, url);
  return target.origin === url.origin ? target : undefined;
}

/** Reads to the end, so that the connection can be used again, and keeps the beginning. */
async function readBeginning(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let readBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    kept.push(chunk.subarray(0, keptBodyBytes - keptBytes));
    keptBytes = Math.min(keptBodyBytes, keptBytes + chunk.length);
    readBytes += chunk.length;
    if (readBytes > discardedBodyBytes) break;
  }
  // As a stream: a character that the limit cuts in two is left out.
  return new TextDecoder().decode(Buffer.concat(kept), { stream: true });
}

function resolveAuthorization(
  { basic, bearerToken }: Pick<RemoteWriteClientOptions, "basic" | "bearerToken">,
  url: URL,
): { readonly authorization?: string; readonly secrets: readonly string[] } {
  if (bearerToken !== undefined) {
    return { authorization: `Bearer ${bearerToken}`, secrets: nonEmpty([bearerToken]) };
  }
  const username = basic?.username ?? decodeUserInfo(url.username);
  const password = basic?.password ?? decodeUserInfo(url.password);
  if (username === "" && password === "") return { secrets: [] };
  const encoded = Buffer.from(`${username}:${password}`, "utf8").toString("base64");
  return { authorization: `Basic ${encoded}`, secrets: nonEmpty([encoded, password]) };
}

function nonEmpty(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret !== "");
}

/** A per cent sign that begins no escape stands for itself. */
function decodeUserInfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not escaped, so it is the text itself.
    return text;
  }
}

/**
 * Sends one batch as one HTTP request.
 *
 * In:  an encoded batch, its body unchanged on the wire. Out: a `SendOutcome`; retries are the caller's.
 * Headers as in Remote-Write 1.0 and 2.0, "Protocol". Credentials are asked for once per attempt
 * (auth/request-auth.ts); they go to the receiver's origin only and into no message.
 */
import type { Dispatcher } from "undici";
import type { Clock } from "../clock.ts";
import type { EncodedBatch, RemoteWriteProtocol } from "../encode/encoded-batch.ts";
import {
  redactSecrets,
  withoutHalfSecret,
  type OutgoingRequest,
  type RequestAuth,
} from "./auth/request-auth.ts";
import { classifyResponse, type ReceiverAnswer } from "./classify-response.ts";
import { describeNetworkError, type NetworkFailure, networkFailure } from "./network-error.ts";
import type { RetryOutcome, SendOutcome } from "./send-outcome.ts";
import { Transport } from "./transport.ts";
import { untilAborted } from "./until-aborted.ts";

export interface RemoteWriteClientOptions {
  /** `http:` or `https:`, without user-info: credentials are `auth`'s. */
  readonly url: string;
  /** Name and version, e.g. `plimsoll/1.2.3`; both are a MUST. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** For the whole request, from its credentials to the end of the answer. Default 30 s, as in Prometheus. */
  readonly timeoutMs?: number;
  /** Closed with the client. Default: nobody asks who sends. */
  readonly auth?: RequestAuth | undefined;
  /** Closed with the client. Default: a connection of its own, to a receiver that the public authorities know. */
  readonly transport?: Transport;
  /** Sent with each request. The protocol's own names are refused by the configuration, not here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What no message may show beside the credentials, e.g. the value of a header. */
  readonly secrets?: readonly string[];
}

const defaultTimeoutMs = 30_000;

/** What of an error's body is kept. Source: Prometheus, `storage/remote/client.go`. */
const keptBodyBytes = 1024;
/** Beyond this the connection is given up: a new one costs less than reading on. */
const discardedBodyBytes = 128 * 1024;

/** A redirect that leads to a redirect, and so on, ends here. */
const redirectLimit = 3;

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
  readonly #auth: RequestAuth | undefined;
  readonly #transport: Transport;
  readonly #timeoutMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #secrets: readonly string[];
  readonly #clock: Clock;
  /** A request of 2.0, the probe's or another queue's, was answered with Written headers. */
  #speaks2 = false;
  /** What the newest request of any queue was sent with. */
  #latestProof: Proof | undefined;

  /** No I/O: the first request connects. Close with `close`. */
  constructor(options: RemoteWriteClientOptions) {
    this.#url = new URL(options.url);
    this.displayUrl = this.#url.origin + this.#url.pathname;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#clock = options.clock;
    this.#auth = options.auth;
    this.#transport =
      options.transport ?? new Transport({ url: this.#url, timeoutMs: this.#timeoutMs });
    this.#secrets = options.secrets ?? [];
    this.#headers = { ...options.headers, "User-Agent": options.userAgent };
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
      if ("kind" in answer) return answer;
      const outcome = classifyResponse(answer, batch, this.#clock.nowMs(), this.#speaks2);
      if (batch.protocol === "2" && isConfirmed(outcome)) this.#speaks2 = true;
      return outcome;
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
   * The receiver refused the credentials (401, 403): reads their files, and those of the certificates, at once, and has
   * tokens renewed.
   *
   * @returns Whether there are others than the refused ones, so that another try can end differently.
   */
  async refreshCredentials(): Promise<boolean> {
    const hasCredentials = (await this.#auth?.refresh()) ?? false;
    const hasCertificates = await this.#transport.refresh();
    return hasCredentials || hasCertificates;
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
    try {
      const request = { method: "GET", url, headers: this.#headers, body: noBody } as const;
      const answer = await this.#exchange(request, AbortSignal.timeout(timeoutMs));
      if (answer.kind === "retry") return undefined;
      const { statusCode, headers, body } = answer.response;
      return { status: statusCode, headers, body: await body.text() };
    } catch {
      // Nobody there, or not in time.
      return undefined;
    }
  }

  /**
   * Posts a form to the same store, with the same credentials and certificates. `url` is of the same origin. What went
   * wrong is text for a person, without secrets.
   *
   * @param limitBytes An answer that is longer is given up.
   */
  async ask(
    url: URL,
    form: URLSearchParams,
    { timeoutMs, limitBytes }: { readonly timeoutMs: number; readonly limitBytes: number },
  ): Promise<FormAnswer> {
    if (url.origin !== this.#url.origin) throw new Error(`${url.origin} is not the receiver's`);
    const headers = { ...this.#headers, "Content-Type": "application/x-www-form-urlencoded" };
    const body = new TextEncoder().encode(form.toString());
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await this.#exchange({ method: "POST", url, headers, body }, signal);
      if (answer.kind === "retry") return { kind: "failure", text: answer.text };
      const { response, secrets } = answer;
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of response.body as AsyncIterable<Buffer>) {
        bytes += part.length;
        if (bytes > limitBytes) {
          return { kind: "failure", text: `the answer is longer than ${limitBytes} bytes` };
        }
        parts.push(part);
      }
      const text = Buffer.concat(parts).toString();
      const isGood = response.statusCode === 200;
      return {
        kind: "answer",
        status: response.statusCode,
        body: isGood ? text : redactSecrets(text, secrets),
      };
    } catch (error) {
      const failure: NetworkFailure | undefined = signal.aborted
        ? networkFailure("timeout", `${timeoutMs} ms`)
        : describeNetworkError(error);
      if (failure === undefined) throw error;
      return { kind: "failure", text: failure.text };
    }
  }

  /** Closes the connections; waits for a request that is under way, and gives up one for a token. */
  async close(): Promise<void> {
    await Promise.all([this.#auth?.close(), this.#transport.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #post(
    batch: EncodedBatch,
    attempt: number,
    signal: AbortSignal,
  ): Promise<ReceiverAnswer | RetryOutcome> {
    let url = this.#url;
    let redirects = 0;
    let isRepeated = false;
    for (;;) {
      const headers = {
        ...this.#headers,
        ...protocolHeaders[batch.protocol],
        "Content-Encoding": "snappy",
        ...(attempt > 0 && { "Retry-Attempt": String(attempt) }),
      };
      const answer = await this.#exchange(
        { method: "POST", url, headers, body: batch.body },
        signal,
      );
      if (answer.kind === "retry") return answer;
      const { response, secrets, proof } = answer;
      const text = await readBeginning(response.body, secrets);
      // Another queue has found newer ones while this one was under way: they are not refused yet.
      if (isAboutCredentials(response.statusCode) && !isRepeated && this.#isOutdated(proof)) {
        isRepeated = true;
        continue;
      }
      const target = redirectTarget(response.statusCode, response.headers, url);
      if (target === undefined || redirects === redirectLimit) {
        return { status: response.statusCode, headers: response.headers, body: text };
      }
      url = target;
      redirects += 1;
    }
  }

  /** One request with its credentials, and its answer, of which the body is not read yet. */
  async #exchange(
    request: OutgoingRequest,
    signal: AbortSignal,
  ): Promise<
    | {
        readonly kind: "answer";
        readonly response: Dispatcher.ResponseData;
        /** What the answer may hold and nobody should see. */
        readonly secrets: readonly string[];
        readonly proof: Proof;
      }
    | RetryOutcome
  > {
    const prepared = this.#auth && (await untilAborted(this.#auth.prepare(request), signal));
    if (prepared?.kind === "missing") {
      return { kind: "retry", reason: prepared.reason, text: prepared.text };
    }
    const { method, url, headers, body } = request;
    const dispatcher = await this.#transport.dispatcher();
    const proof = { dispatcher, secrets: prepared?.secrets ?? [] };
    this.#latestProof = proof;
    const response = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...headers, ...prepared?.headers },
      // A complete buffer: undici adds Content-Length, which proxies and signatures need.
      ...(method === "POST" && { body }),
      signal,
    });
    // Some proxies and test servers show the request in their answer.
    const secrets = [...proof.secrets, ...this.#secrets];
    return { kind: "answer", response, secrets, proof };
  }

  #isOutdated({ dispatcher, secrets }: Proof): boolean {
    const latest = this.#latestProof;
    return (
      latest?.dispatcher !== dispatcher ||
      secrets.some((secret, index) => secret !== latest.secrets[index])
    );
  }
}

/** What came of a form that was posted. */
export type FormAnswer =
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  | { readonly kind: "failure"; readonly text: string };

/** By what a request shows who sends it. */
interface Proof {
  /** New certificates, new connections. */
  readonly dispatcher: Dispatcher;
  readonly secrets: readonly string[];
}

function isAboutCredentials(status: number): boolean {
  return status === 401 || status === 403;
}

/** Of 2.0: there were Written headers, without which nothing is `sent`. */
function isConfirmed(outcome: SendOutcome): boolean {
  return (
    outcome.kind === "sent" ||
    (outcome.kind === "rejected" && outcome.samplesWritten + outcome.histogramsWritten > 0)
  );
}

const noBody = new Uint8Array();

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

/**
 * Reads to the end, so that the connection can be used again, and keeps the beginning, without secrets. One that the end
 * of the kept part cuts in two would not be found, so a secret's length more is looked through than is kept.
 */
async function readBeginning(
  body: Dispatcher.ResponseData["body"],
  secrets: readonly string[],
): Promise<string> {
  const longestSecret = Math.max(0, ...secrets.map((secret) => Buffer.byteLength(secret)));
  const searchedBytes = keptBodyBytes + longestSecret;
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let readBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    kept.push(chunk.subarray(0, searchedBytes - keptBytes));
    keptBytes = Math.min(searchedBytes, keptBytes + chunk.length);
    readBytes += chunk.length;
    if (readBytes > discardedBodyBytes) break;
  }
  const text = redactSecrets(decodeBeginning(Buffer.concat(kept)), secrets);
  const whole = readBytes > keptBytes ? withoutHalfSecret(text, secrets) : text;
  return decodeBeginning(Buffer.from(whole).subarray(0, keptBodyBytes));
}

/** As a stream: a character that the end cuts in two is left out. */
function decodeBeginning(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes, { stream: true });
}

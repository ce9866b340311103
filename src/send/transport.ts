/**
 * The connections to one server: its certificates, and a proxy on the way.
 *
 * In:  what to trust, what to show, which proxy. Out: an undici dispatcher. Certificates in files are looked at for each
 * request; when one has changed, requests go over new connections, and the old ones close when they are idle.
 *
 * Without `proxyUrl` the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide, in either case; they are undici's to
 * read. This machine itself is reached directly, for what a proxy calls localhost is another one.
 */
import type { SecureVersion } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from "undici";
import { ConfigError } from "../errors.ts";
import type { TextSource } from "./text-source.ts";

export interface TransportOptions {
  /** The server; its scheme and host decide whether a proxy is asked. */
  readonly url: URL;
  /** For connecting. */
  readonly timeoutMs: number;
  /** How many requests may be under way at a time. Default 1. */
  readonly connections?: number;
  readonly tls?: TransportTls;
  /** Used for every host; a user name and a password in it are sent to the proxy. */
  readonly proxyUrl?: string | undefined;
}

/** Certificates and keys are PEM text. */
export interface TransportTls {
  /** Accepts any certificate. Default false. */
  readonly insecureSkipVerify?: boolean;
  /** Default: Node's, TLS 1.2. */
  readonly minVersion?: SecureVersion;
  /** The client's certificate and its key, for servers that ask for one. */
  readonly cert?: TextSource;
  readonly key?: TextSource;
  /** The authorities to trust, in place of Node's list. */
  readonly ca?: TextSource;
}

/**
 * Longer than any sensible push interval, so that each push finds the connection open. A receiver that
 * closes earlier says so in `Keep-Alive`, which undici obeys.
 */
const keepAliveMs = 60_000;

interface Certificates {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  #certificates: Certificates = {};
  #dispatcher: Dispatcher | undefined;
  #isClosed = false;
  /** Replaced by newer ones, closing or closed. */
  readonly #closing: Promise<void>[] = [];

  /** No I/O. Close with `close`. */
  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * For one request, or several that belong together.
   *
   * @throws ConfigError if a proxy variable holds no URL
   */
  async dispatcher(): Promise<Dispatcher> {
    const certificates = await this.#readCertificates("read");
    // No await from here on: two requests at once must not make two dispatchers, and none may outlive `close`.
    if (this.#isClosed) throw new Error("the transport is closed");
    if (this.#dispatcher !== undefined && isSame(certificates, this.#certificates)) {
      return this.#dispatcher;
    }
    this.#retire();
    this.#certificates = certificates;
    this.#dispatcher = this.#createDispatcher(certificates);
    return this.#dispatcher;
  }

  /** Reads the certificates even where their files look the same. Whether there are others than those in use. */
  async refresh(): Promise<boolean> {
    return !isSame(await this.#readCertificates("reread"), this.#certificates);
  }

  /** Closes the connections; waits for a request that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retire();
    await Promise.all(this.#closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #retire(): void {
    if (this.#dispatcher !== undefined) this.#closing.push(this.#dispatcher.close());
    this.#dispatcher = undefined;
  }

  async #readCertificates(how: "read" | "reread"): Promise<Certificates> {
    const { ca, cert, key } = this.#options.tls ?? {};
    return {
      ...(ca && { ca: await ca[how]() }),
      ...(cert && { cert: await cert[how]() }),
      ...(key && { key: await key[how]() }),
    };
  }

  #createDispatcher(certificates: Certificates): Dispatcher {
    const { url, timeoutMs, connections = 1, tls, proxyUrl } = this.#options;
    const { insecureSkipVerify = false, minVersion } = tls ?? {};
    const toServer = {
      ...certificates,
      ...(minVersion !== undefined && { minVersion }),
      rejectUnauthorized: !insecureSkipVerify,
      timeout: timeoutMs,
    };
    const options = {
      // One for each request that is under way; without this undici opens another one now and then.
      connections,
      keepAliveTimeout: keepAliveMs,
      // The caller's time-out covers the whole request.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const proxied = {
      ...options,
      requestTls: toServer,
      proxyTls: { timeout: timeoutMs },
      // Proxies take CONNECT for TLS only; what is plain is sent to them with its whole URL.
      proxyTunnel: url.protocol === "https:",
    };
    if (proxyUrl !== undefined) return new ProxyAgent({ ...proxied, uri: proxyUrl });
    if (isLoopback(url.hostname)) return new Agent({ ...options, connect: toServer });
    try {
      return new EnvHttpProxyAgent({ ...proxied, connect: toServer });
    } catch {
      // The value may hold a password, so neither it nor the cause is passed on.
      const message = 'holds no proxy: expected a URL such as "http://proxy.test:3128"';
      throw new ConfigError([
        { option: "HTTP_PROXY or HTTPS_PROXY", message, source: "environment" },
      ]);
    }
  }
}

/** Whether a URL's host is this machine. Source: RFC 6761, section 6.3; RFC 1122, section 3.2.1.3. */
export function isLoopback(hostname: string): boolean {
  return (
    /^(?:.+\.)?localhost\.?$/.test(hostname) ||
    /^127(?:\.\d+){3}$/.test(hostname) ||
    hostname === "[::1]"
  );
}

function isSame(a: Certificates, b: Certificates): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key;
}

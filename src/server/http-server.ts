/**
 * The HTTP or HTTPS server under the application, with the limits that a client cannot stretch.
 *
 * Fastify leaves both to whoever makes the server (`serverFactory`).
 */
import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface HttpLimits {
  /** Above the 90 s for which Go's client keeps a connection to use it again; else k6 logs resets. */
  readonly keepAliveTimeoutMs: number;
  /** Until a request's headers are there: what a slow-loris plays with. */
  readonly headersTimeoutMs: number;
  /** Until its body is there. k6 gives an archive of 100 MiB a minute unless it is told otherwise. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
}

export const defaultHttpLimits: HttpLimits = {
  keepAliveTimeoutMs: 120_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 180_000,
  maxConnections: 2_000,
};

export function createHttpServer(
  listener: RequestListener,
  certificate: Certificate | undefined,
  limits: HttpLimits,
): Server {
  const options: ServerOptions = {
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    // How often the two above are looked at; Node's default lets a slow client live 30 s longer.
    connectionsCheckingInterval: Math.min(2_000, limits.headersTimeoutMs),
  };
  const server: Server = certificate
    ? createSecureServer({ ...options, ...certificate, minVersion: "TLSv1.2" }, listener)
    : createServer(options, listener);
  server.maxConnections = limits.maxConnections;
  // A request that does not arrive in time is cut off, not answered: Fastify would say 408, and k6 drops a push that is
  // answered 4xx, but tries again where the connection ends.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") socket.destroy();
  });
  return server;
}

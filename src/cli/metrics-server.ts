/**
 * Serves Plimsoll's own metrics where `--metrics-listen` says.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListenAddress } from "../config/options.ts";
import { UsageError, messageOf } from "../errors.ts";
import type { SelfAware } from "../output/self-metrics-registry.ts";

/** What there is to serve. */
export interface ServedMetrics {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Those of one run. Loaded where they are asked for: few runs are, and prom-client is slow to load. */
export async function loadSelfMetrics(output: SelfAware): Promise<ServedMetrics> {
  const { createSelfMetrics } = await import("../output/self-metrics-registry.ts");
  return createSelfMetrics(output);
}

/**
 * Listens until disposed of; does nothing without an address.
 *
 * @throws UsageError if the address cannot be used
 */
export async function startMetricsServer(
  address: ListenAddress | undefined,
  createMetrics: () => ServedMetrics | Promise<ServedMetrics>,
  log: (text: string) => void,
): Promise<AsyncDisposable> {
  if (!address) return { async [Symbol.asyncDispose]() {} };
  const metrics = await createMetrics();
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end("only GET /metrics is here\n");
      return;
    }
    metrics.metrics().then(
      (text) => response.writeHead(200, { "Content-Type": metrics.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new UsageError(
      `cannot serve metrics on ${address.host}:${address.port}: ${messageOf(cause)}; ` +
        "name another address with --metrics-listen, port 0 for any free one",
      { cause },
    );
  }
  // A TCP server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  log(`plimsoll: own metrics at http://${host}:${port}/metrics`);
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

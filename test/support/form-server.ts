/**
 * A server that is sent forms and answers what the test says: an OAuth2 token endpoint, AWS's token service.
 */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface ReceivedForm {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: Readonly<Record<string, string>>;
}

export interface FormAnswer {
  readonly status: number;
  readonly body: string;
}

export interface FormServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedForm[];
}

/** @param answer May take its time. */
export async function startFormServer(
  answer: (request: ReceivedForm) => FormAnswer | Promise<FormAnswer>,
  tls?: ServerOptions,
): Promise<FormServer> {
  const requests: ReceivedForm[] = [];
  const server = tls ? createHttpsServer(tls) : createHttpServer();
  server.on("request", (incoming, response) => {
    const respond = async () => {
      const form = Object.fromEntries(new URLSearchParams(await text(incoming)));
      const request = { path: incoming.url ?? "", headers: incoming.headers, form };
      requests.push(request);
      const { status, body } = await answer(request);
      response.writeHead(status).end(body);
    };
    respond().catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http${tls ? "s" : ""}://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

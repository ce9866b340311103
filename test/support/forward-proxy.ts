/**
 * A forward proxy on a free loopback port: CONNECT for TLS, whole URLs for what is plain.
 *
 * Names below `.test` are this machine, whatever a name server says, so that a receiver can be one that is reached
 * through a proxy only.
 */
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

export interface ForwardProxy extends AsyncDisposable {
  /** Without user-info. */
  readonly url: string;
  /** What was asked for, e.g. `CONNECT prom.test:443`, `POST http://prom.test/api/v1/write`. */
  readonly requests: readonly string[];
}

/** @param credentials `user:password`; without them nobody is asked. */
export async function startForwardProxy(credentials?: string): Promise<ForwardProxy> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const expected =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;
  const toHost = (hostname: string) => (hostname.endsWith(".test") ? "127.0.0.1" : hostname);

  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (expected !== undefined && incoming.headers["proxy-authorization"] !== expected) {
      response.writeHead(407).end("who are you?");
      return;
    }
    const { hostname, port, pathname, search } = new URL(incoming.url ?? "");
    const { "proxy-authorization": _, ...headers } = incoming.headers;
    const outgoing = httpRequest(
      {
        host: toHost(hostname),
        port: port || 80,
        path: pathname + search,
        method: incoming.method,
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on("error", () => response.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  server.on("connect", (incoming, client: Socket, head: Buffer) => {
    requests.push(`CONNECT ${incoming.url}`);
    if (expected !== undefined && incoming.headers["proxy-authorization"] !== expected) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const upstream = connect(Number(port || 80), toHost(hostname), () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    sockets.add(upstream);
    for (const socket of [upstream, client]) {
      socket.on("error", () => {
        upstream.destroy();
        client.destroy();
      });
    }
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

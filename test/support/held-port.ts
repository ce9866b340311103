/**
 * A port that stays open while the server behind it is away, as one does that systemd or a load balancer holds: whoever
 * connects waits until there is a server. What is under way when the server dies is cut.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface HeldPort extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
}

/** Between two looks whether the server is there. */
const lookMs = 20;

/** @param port Of the server, at 127.0.0.1. */
export async function startHeldPort(port: number): Promise<HeldPort> {
  const clients = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (client) => {
    clients.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => clients.delete(client));
    void join(client, port);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const client of clients) client.destroy();
      await once(server, "close");
    },
  };
}

async function join(client: Socket, port: number): Promise<void> {
  while (!client.destroyed) {
    const upstream = connect(port, "127.0.0.1");
    try {
      await once(upstream, "connect");
    } catch {
      // Nobody listens: the client waits.
      await delay(lookMs);
      continue;
    }
    upstream.on("error", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.pipe(upstream).pipe(client);
    return;
  }
}

/**
 * The network between two programs on this machine: a loopback port before another one, which can fail in the two ways in
 * which a client notices, and come back.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Packets are lost: what is sent waits, in both directions, and connections stay open and are accepted. */
  stall(): void;
  /** New connections get through; those that have stalled stay dead, as behind a firewall that has lost them. */
  forget(): void;
  /** The other machine is gone: connections are reset, and new ones refused. */
  refuse(): Promise<void>;
  /** What waited goes on. */
  comeBack(): Promise<void>;
}

/** @param target Asked for each connection: the server may not be there yet. */
export async function startTcpProxy(target: () => string): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isStalled = false;
  const server = createServer((client) => {
    const { hostname, port } = new URL(target());
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      if (isStalled) from.pause();
      // Not `pipe`, which would take up a socket that has been paused when the other side has room.
      from.on("data", (bytes: Buffer) => void to.write(bytes));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await once(server, "close");
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    stall() {
      isStalled = true;
      for (const socket of sockets) socket.pause();
    },
    forget() {
      isStalled = false;
    },
    refuse: close,
    async comeBack() {
      isStalled = false;
      for (const socket of sockets) socket.resume();
      if (!server.listening) await listen(address.port);
    },
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Connections by which nobody has asked anything yet. Browsers open them ahead, and a server that ends would wait for them:
 * Node closes those that are idle between two requests, and not those before their first.
 */
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";

/** They are closed when the server is about to close, and so are those that still come. */
export function closeUnusedConnections(app: FastifyInstance): void {
  const unused = new Set<Socket>();
  let isClosing = false;
  const take = (socket: Socket): void => {
    if (isClosing) socket.destroy();
    else unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  };
  // Of TLS, requests know the socket that is made of the connection.
  app.server.on(app.server instanceof TlsServer ? "secureConnection" : "connection", take);
  app.server.on("request", ({ socket }) => unused.delete(socket));
  app.addHook("preClose", async () => {
    isClosing = true;
    for (const socket of unused) socket.destroy();
  });
}

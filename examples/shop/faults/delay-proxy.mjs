/**
 * A TCP proxy that hands every byte on a while later, in both directions: a network with a latency.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @param {{ target: URL, delayMs: number }} options */
export async function startDelayProxy({ target, delayMs }) {
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(Number(target.port || 5_432), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from.setNoDelay());
      // Timers of the same length fire in the order in which they were set, so bytes stay in theirs.
      from.on("data", (bytes) => setTimeout(() => to.writable && to.write(bytes), delayMs));
      from.on("end", () => setTimeout(() => to.end(), delayMs));
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    port: server.address().port,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/**
 * Starts the shop: `node examples/shop/server.mjs [--port 8080] [--host 127.0.0.1] [--seed 1]`.
 *
 * Prints one line of JSON, `{"url": …}`, when it listens (port 0: any free port), and ends on SIGINT or
 * SIGTERM after the requests in flight.
 */
import { parseArgs } from "node:util";
import { createShop } from "./app.mjs";
import { createMetrics } from "./metrics.mjs";
import { createMemoryStore } from "./store.mjs";

/** How long requests in flight may take to end, in milliseconds: more than the slowest route needs. */
const graceMs = 2_000;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    host: { type: "string", default: "127.0.0.1" },
    seed: { type: "string", default: "1" },
  },
});

const server = createShop({
  store: createMemoryStore(),
  metrics: createMetrics(),
  seed: Number(values.seed),
});

server.listen(Number(values.port), values.host, () => {
  const { address, port } = server.address();
  console.log(JSON.stringify({ url: `http://${address}:${port}` }));
});

function stop() {
  server.close();
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), graceMs).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

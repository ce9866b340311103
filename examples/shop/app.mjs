/**
 * The shop's routes over a store. What takes time in a real shop takes a seeded random time here, and
 * the payment fails by a seeded pattern, so that a load test has percentiles and errors to show.
 *
 * In:  a store (`store.mjs`), metrics (`metrics.mjs`), a seed.
 * Out: a `node:http` server that does not listen yet.
 */
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom, logNormalMs } from "./random.mjs";

/** Larger request bodies are refused; the shop's own are below 100 bytes. */
const maxBodyBytes = 10_000;

/** An answer that is not a success. `status` is the HTTP status. */
class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @returns {import("node:http").Server} */
export function createShop({ store, metrics, seed }) {
  const randomDelay = createRandom(seed);
  const randomPayment = createRandom(seed + 1);
  const work = (medianMs, spread) => delay(logNormalMs(randomDelay, medianMs, spread));

  async function productOf(id) {
    const product = await store.findProduct(Number(id));
    if (!product) throw new HttpError(404, `no product ${JSON.stringify(id)}`);
    return product;
  }

  const routes = {
    "GET /": async () => ({ status: 200, body: { shop: "Plimsoll's chandlery" } }),
    "GET /products": async () => {
      await work(8, 0.5);
      return { status: 200, body: await store.listProducts() };
    },
    "GET /products/:id": async ({ parameter }) => {
      await work(5, 0.4);
      return { status: 200, body: await productOf(parameter) };
    },
    "POST /cart": async ({ request }) => {
      const { productId, quantity = 1 } = await readJson(request);
      await work(10, 0.5);
      if (!Number.isInteger(quantity) || quantity < 1) {
        throw new HttpError(422, `quantity ${JSON.stringify(quantity)} is not a positive integer`);
      }
      const cartId = await store.createCart(await productOf(productId), quantity);
      return { status: 201, body: { cartId } };
    },
    "POST /checkout": async ({ request }) => {
      const { cartId } = await readJson(request);
      await work(35, 0.5);
      const chance = randomPayment();
      if (chance < 0.02) throw new HttpError(500, "the payment service did not answer");
      if (chance < 0.05) throw new HttpError(402, "the card was declined");
      const order = await store.placeOrder(cartId);
      if (!order) throw new HttpError(409, `no cart ${JSON.stringify(cartId)}`);
      return { status: 200, body: order };
    },
    "GET /slow": async () => {
      await work(90, 0.3);
      return { status: 200, body: { slept: true } };
    },
    "GET /catalogue": async () => ({ status: 301, headers: { location: "/products" } }),
    "GET /recommendations": async () => {
      throw new HttpError(503, "recommendations are out of order");
    },
    "GET /healthz": async () => ({ status: 200, body: { ok: true } }),
    "GET /metrics": async () => ({
      status: 200,
      headers: { "content-type": metrics.contentType },
      body: await metrics.text(),
    }),
  };

  async function answer(request, response) {
    const [pathname] = request.url.split("?");
    const [, parameter] = /^\/products\/(.+)$/.exec(pathname) ?? [];
    const route = `${request.method} ${parameter === undefined ? pathname : "/products/:id"}`;
    const known = Object.hasOwn(routes, route);
    if (pathname !== "/metrics" && pathname !== "/healthz") {
      // Unknown paths share one label value: a scanner must not fill the store with series.
      metrics.observe(request, response, () => (known ? route.split(" ")[1] : "(other)"));
    }
    try {
      if (!known) throw new HttpError(404, `no route ${JSON.stringify(route)}`);
      send(response, await routes[route]({ request, parameter }));
    } catch (error) {
      // `errored`: the client went away in the middle of its request, which is no fault of the shop.
      if (!(error instanceof HttpError) && !request.errored) console.error(error);
      const { status, message } = error instanceof HttpError ? error : new HttpError(500, "broken");
      send(response, { status, body: { error: message } });
    }
  }

  return createServer((request, response) => void answer(request, response));
}

function send(response, { status, headers = {}, body }) {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? null);
  response
    .writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      ...headers,
    })
    .end(text);
}

async function readJson(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new HttpError(413, `body is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return Object(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  } catch {
    // Whatever the parser says, the client has to send something else.
    throw new HttpError(400, "body is not JSON");
  }
}

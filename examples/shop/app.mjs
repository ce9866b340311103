/**
 * The shop's routes over a store. Making a page takes a seeded random time, and payments fail by a seeded pattern, so
 * that a load test has percentiles and errors to show.
 *
 * A request has one session of the store while it makes its page, as most frameworks do it; a checkout gives its session
 * back while it waits for the payment, so that a slow payment service holds no connection and no lock.
 *
 * In:  a store (`postgres-store.mjs`, `memory-store.mjs`), payments, metrics, a seed, and maybe faults.
 * Out: a `node:http` server that does not listen yet.
 */
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { isAcquireTimeout } from "./metrics.mjs";
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

/** Not measured, and no fault slows them: they are for those who watch the shop. */
const ownPaths = /^\/(?:metrics|healthz|faults(?:\/.*)?)$/;

/**
 * @param {object} parts
 * @param {import("./postgres-store.mjs").Store} parts.store
 * @param {import("./payments-client.mjs").Payments} parts.payments
 * @param {import("./metrics.mjs").Metrics} parts.metrics
 * @param {number} parts.seed
 * @param {import("./faults/faults.mjs").Faults} [parts.faults] Without them there are no routes for them.
 * @returns {import("node:http").Server}
 */
export function createShop({ store, payments, metrics, seed, faults }) {
  const randomDelay = createRandom(seed);
  const work = (medianMs, spread) => delay(logNormalMs(randomDelay, medianMs, spread));

  async function productOf(session, id) {
    const product = await session.findProduct(Number(id));
    if (!product) throw new HttpError(404, `no product ${JSON.stringify(id)}`);
    return product;
  }

  const routes = {
    "GET /": async () => ({ status: 200, body: { shop: "Plimsoll's chandlery" } }),
    "GET /products": async () =>
      await store.use(async (session) => {
        const body = await session.listProducts();
        await work(12, 0.4);
        return { status: 200, body };
      }),
    "GET /products/:id": async ({ parameter }) =>
      await store.use(async (session) => {
        const body = await productOf(session, parameter);
        await work(10, 0.4);
        return { status: 200, body };
      }),
    "POST /cart": async ({ request }) => {
      const { productId, quantity = 1 } = await readJson(request);
      if (!Number.isInteger(quantity) || quantity < 1) {
        throw new HttpError(422, `quantity ${JSON.stringify(quantity)} is not a positive integer`);
      }
      return await store.use(async (session) => {
        const product = await productOf(session, productId);
        await work(14, 0.4);
        return { status: 201, body: { cartId: await session.createCart(product, quantity) } };
      });
    },
    "POST /checkout": async ({ request }) => {
      const { cartId } = await readJson(request);
      const order = await store.use((session) => session.openOrder(cartId));
      if (!order) throw new HttpError(409, `no cart ${JSON.stringify(cartId)}`);
      const status = await payments.pay(order.totalCents);
      return await store.use(async (session) => {
        if (status === 200) {
          await session.confirmOrder(order);
          await work(10, 0.4);
          return { status: 200, body: order };
        }
        await session.cancelOrder(order);
        if (status === 402) throw new HttpError(402, "the card was declined");
        throw new HttpError(500, "the payment service did not answer");
      });
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
    ...(faults && {
      "GET /faults": async () => ({ status: 200, body: faults.list() }),
      "PUT /faults/:id": async ({ parameter }) => await switchFault(parameter, true),
      "DELETE /faults/:id": async ({ parameter }) => await switchFault(parameter, false),
    }),
  };

  async function switchFault(name, isActive) {
    if (!faults.names.includes(name)) {
      const known = faults.names.join(", ");
      throw new HttpError(404, `no fault ${JSON.stringify(name)}; expected one of ${known}`);
    }
    await faults.set(name, isActive);
    return { status: 200, body: { fault: name, active: isActive } };
  }

  async function answer(request, response) {
    const [pathname] = request.url.split("?");
    const [, collection, parameter] = /^(\/products|\/faults)\/(.+)$/.exec(pathname) ?? [];
    const route = `${request.method} ${parameter === undefined ? pathname : `${collection}/:id`}`;
    const known = Object.hasOwn(routes, route);
    const isOwn = ownPaths.test(pathname);
    if (!isOwn) {
      // Unknown paths share one label value: a scanner must not fill the store with series.
      metrics.observe(request, response, () => (known ? route.split(" ")[1] : "(other)"));
    }
    try {
      if (!known) throw new HttpError(404, `no route ${JSON.stringify(route)}`);
      if (!isOwn) faults?.onRequest();
      send(response, await routes[route]({ request, parameter }));
    } catch (error) {
      const { status, message } = toHttpError(error);
      // `errored`: the client went away in the middle of its request, which is no fault of the shop.
      if (status === 500 && !(error instanceof HttpError) && !request.errored) console.error(error);
      send(response, { status, body: { error: message } });
    }
  }

  return createServer((request, response) => void answer(request, response));
}

function toHttpError(error) {
  if (error instanceof HttpError) return error;
  if (isAcquireTimeout(error)) return new HttpError(503, "no connection to the database in time");
  return new HttpError(500, "broken");
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

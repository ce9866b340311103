/**
 * A steady load to see the shop's faults in: twenty visitors who look around and buy, with short pauses.
 *
 * Each waits for its answers, so a slow shop gets fewer requests and none pile up: what is seen is the fault, not a
 * collapse. No thresholds: it is there to be slow. Environment: BASE_URL (the shop), DURATION (default 2m), VUS
 * (default 20).
 */
import http from "k6/http";
import { check, sleep } from "k6";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";

export const options = {
  vus: Number(__ENV.VUS || 20),
  duration: __ENV.DURATION || "2m",
};

const json = { "Content-Type": "application/json" };

function post(path, body, name) {
  return http.post(`${baseUrl}${path}`, JSON.stringify(body), { headers: json, tags: { name } });
}

/** Between two pages, in seconds: so that twenty visitors need four connections, and are many for a pool of two. */
function pause() {
  sleep(Math.random() * 0.1);
}

export default function () {
  const productId = 1 + Math.floor(Math.random() * 8);
  const list = http.get(`${baseUrl}/products`, { tags: { name: "products" } });
  check(list, { "products are listed": (response) => response.json("#") === 8 });
  pause();
  const product = http.get(`${baseUrl}/products/${productId}`, { tags: { name: "product" } });
  check(product, { "product has a price": (response) => response.json("priceCents") > 0 });
  pause();
  const cart = post("/cart", { productId, quantity: 1 }, "cart");
  pause();
  if (!check(cart, { "cart is created": ({ status }) => status === 201 })) return;
  const order = post("/checkout", { cartId: cart.json("cartId") }, "checkout");
  check(order, { "order is placed": ({ status }) => status === 200 });
  pause();
}

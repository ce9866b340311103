/**
 * Visitors look around while others buy: the script of `npm run demo`.
 *
 * Two scenarios, groups, checks, thresholds (one on a submetric), a custom Trend and Counter.
 * Environment: BASE_URL (the shop), DURATION (default 30s), BUYERS_PER_SECOND (default 15).
 */
import http from "k6/http";
import { check, group, sleep } from "k6";
import { Counter, Trend } from "k6/metrics";

const baseUrl = __ENV.BASE_URL || "http://127.0.0.1:8080";
const duration = __ENV.DURATION || "30s";

const timeToOrder = new Trend("time_to_order", true);
const revenue = new Counter("revenue_cents");

export const options = {
  scenarios: {
    browse: { executor: "constant-vus", exec: "browse", vus: 5, duration },
    buy: {
      executor: "constant-arrival-rate",
      exec: "buy",
      rate: Number(__ENV.BUYERS_PER_SECOND || 15),
      duration,
      preAllocatedVUs: 10,
      maxVUs: 30,
    },
  },
  thresholds: {
    checks: ["rate>0.9"],
    http_req_failed: ["rate<0.05"],
    http_req_duration: ["p(95)<250", "p(99)<500"],
    "http_req_duration{name:checkout}": ["p(95)<400"],
    time_to_order: ["p(95)<600"],
  },
};

const json = { "Content-Type": "application/json" };

function post(path, body, name) {
  return http.post(`${baseUrl}${path}`, JSON.stringify(body), { headers: json, tags: { name } });
}

function randomProductId() {
  return 1 + Math.floor(Math.random() * 8);
}

export function browse() {
  group("browse", () => {
    const home = http.get(`${baseUrl}/`, { tags: { name: "home" } });
    check(home, { "home answers 200": ({ status }) => status === 200 });
    const list = http.get(`${baseUrl}/products`, { tags: { name: "products" } });
    check(list, { "products are listed": (response) => response.json("#") === 8 });
    const product = http.get(`${baseUrl}/products/${randomProductId()}`, {
      tags: { name: "product" },
    });
    check(product, { "product has a price": (response) => response.json("priceCents") > 0 });
  });
  sleep(0.1 + Math.random() * 0.2);
}

export function buy() {
  group("buy", () => {
    const started = Date.now();
    const cart = group("cart", () => {
      const quantity = 1 + Math.floor(Math.random() * 3);
      const response = post("/cart", { productId: randomProductId(), quantity }, "cart");
      check(response, { "cart is created": ({ status }) => status === 201 });
      return response;
    });
    group("checkout", () => {
      const order = post("/checkout", { cartId: cart.json("cartId") }, "checkout");
      if (check(order, { "order is placed": ({ status }) => status === 200 })) {
        revenue.add(order.json("totalCents"));
        timeToOrder.add(Date.now() - started);
      }
    });
  });
}

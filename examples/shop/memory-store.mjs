/**
 * The shop's data in memory: for a shop without a database.
 *
 * A store gives each request a session with the same methods; here there is one for all. `postgres-store.mjs` is the
 * other store.
 */
import { randomUUID } from "node:crypto";
import { firstPage } from "./catalogue.mjs";

/** Abandoned carts beyond this many are forgotten, the oldest first, so that memory stays bounded. */
const maxCarts = 10_000;

export function createMemoryStore() {
  const carts = new Map();
  let orders = 0;

  const session = {
    async listProducts() {
      return firstPage;
    },

    /** @returns the product, or undefined where there is none with this id */
    async findProduct(id) {
      return firstPage.find((product) => product.id === id);
    },

    /** @returns the id of a cart that holds `quantity` of the product */
    async createCart(product, quantity) {
      const [oldest] = carts.keys();
      if (carts.size >= maxCarts) carts.delete(oldest);
      const id = randomUUID();
      carts.set(id, { totalCents: product.priceCents * quantity });
      return id;
    },

    /** Takes the cart's goods out of stock. @returns the order to pay, or undefined where there is no such cart */
    async openOrder(cartId) {
      const cart = carts.get(cartId);
      if (!cart) return undefined;
      carts.delete(cartId);
      orders += 1;
      return { number: orders, totalCents: cart.totalCents };
    },

    async confirmOrder() {},

    /** Puts the goods back. */
    async cancelOrder() {},
  };

  return {
    /** Gives `work` a session for as long as it takes. */
    use: (work) => work(session),
    async close() {},
  };
}

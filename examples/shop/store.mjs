/**
 * The shop's data: products, carts, orders. Kept in memory here; every method is async, so that a
 * database can stand behind the same four methods.
 */
import { randomUUID } from "node:crypto";

const products = [
  { id: 1, name: "Sounding line", priceCents: 2_450 },
  { id: 2, name: "Brass sextant", priceCents: 38_900 },
  { id: 3, name: "Tide table", priceCents: 1_290 },
  { id: 4, name: "Storm lantern", priceCents: 5_400 },
  { id: 5, name: "Oilskin coat", priceCents: 12_750 },
  { id: 6, name: "Signal flags", priceCents: 7_300 },
  { id: 7, name: "Ship's biscuit, 1 kg", priceCents: 890 },
  { id: 8, name: "Barometer", priceCents: 16_000 },
];

/** Abandoned carts beyond this many are forgotten, the oldest first, so that memory stays bounded. */
const maxCarts = 10_000;

export function createMemoryStore() {
  const carts = new Map();
  let orders = 0;

  return {
    async listProducts() {
      return products;
    },

    /** @returns the product, or undefined where there is none with this id */
    async findProduct(id) {
      return products.find((product) => product.id === id);
    },

    /** @returns the id of a cart that holds `quantity` of the product */
    async createCart(product, quantity) {
      const [oldest] = carts.keys();
      if (carts.size >= maxCarts) carts.delete(oldest);
      const id = randomUUID();
      carts.set(id, { totalCents: product.priceCents * quantity });
      return id;
    },

    /** Turns a cart into an order. @returns the order, or undefined where there is no such cart */
    async placeOrder(cartId) {
      const cart = carts.get(cartId);
      if (!cart) return undefined;
      carts.delete(cartId);
      orders += 1;
      return { number: orders, totalCents: cart.totalCents };
    },
  };
}

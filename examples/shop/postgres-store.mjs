/**
 * The shop's data in Postgres. Each session is one connection of the pool, and a transaction never stays open while
 * something else than the database is waited for.
 *
 * In:  a database (`database.mjs`) with the tables of `schema.mjs`.
 * Out: the same methods as `memory-store.mjs`.
 */
import { randomUUID } from "node:crypto";

const columns = 'id, name, price_cents AS "priceCents"';

const firstPage = `SELECT ${columns} FROM products ORDER BY id LIMIT 8`;

/** The page sorted by what customers think, which reads every review: the fault `slow-query`. */
const pageByRating = `SELECT ${columns}
  FROM products
  JOIN (SELECT product_id, avg(stars) AS rating, count(*) AS reviews
          FROM reviews GROUP BY product_id) AS rated ON product_id = id
 ORDER BY rating DESC, reviews DESC, id LIMIT 8`;

/** @typedef {ReturnType<typeof createPostgresStore>} Store */

/** @param {{ database: import("./database.mjs").Database }} options */
export function createPostgresStore({ database }) {
  const sessionOf = (query) => ({
    async listProducts() {
      return (await query(database.isSortedByRating ? pageByRating : firstPage)).rows;
    },

    async findProduct(id) {
      if (!Number.isInteger(id) || id > 2 ** 31 - 1) return undefined;
      const { rows } = await query(
        `SELECT ${columns},
           (SELECT round(avg(stars), 1)::float8 FROM reviews WHERE product_id = products.id) AS rating
           FROM products WHERE id = $1`,
        [id],
      );
      return rows[0];
    },

    async createCart(product, quantity) {
      const id = randomUUID();
      await query("INSERT INTO carts VALUES ($1, $2, $3, $4)", [
        id,
        product.id,
        quantity,
        product.priceCents * quantity,
      ]);
      return id;
    },

    async openOrder(cartId) {
      if (!isUuid(cartId)) return undefined;
      await query("BEGIN");
      const { rows: carts } = await query(
        "DELETE FROM carts WHERE id = $1 RETURNING product_id, quantity, total_cents",
        [cartId],
      );
      const [cart] = carts;
      if (!cart) {
        await query("ROLLBACK");
        return undefined;
      }
      const { product_id: productId, quantity, total_cents: totalCents } = cart;
      await query("SELECT quantity FROM stock WHERE product_id = $1 FOR UPDATE", [productId]);
      await query("UPDATE stock SET quantity = quantity - $2 WHERE product_id = $1", [
        productId,
        quantity,
      ]);
      const { rows: orders } = await query(
        "INSERT INTO orders (product_id, quantity, total_cents, state) VALUES ($1, $2, $3, 'open') RETURNING number",
        [productId, quantity, totalCents],
      );
      await query("COMMIT");
      return { number: orders[0].number, totalCents };
    },

    async confirmOrder({ number }) {
      await query("UPDATE orders SET state = 'paid' WHERE number = $1", [number]);
    },

    async cancelOrder({ number }) {
      // One statement, one transaction.
      await query(
        `WITH cancelled AS (DELETE FROM orders WHERE number = $1 RETURNING product_id, quantity)
         UPDATE stock SET quantity = stock.quantity + cancelled.quantity
           FROM cancelled WHERE stock.product_id = cancelled.product_id`,
        [number],
      );
    },
  });

  return {
    use: (work) => database.use((query) => work(sessionOf(query))),
    close: () => database.close(),
  };
}

function isUuid(value) {
  return typeof value === "string" && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value);
}

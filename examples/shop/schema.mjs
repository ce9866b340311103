/**
 * The shop's tables and what is in them at the start.
 *
 * Products, stock and reviews are made once, where the database has none. Carts and orders are emptied at every start,
 * so that each run begins alike and a database that is kept does not grow for ever.
 */
import { firstPage } from "./catalogue.mjs";

/** Enough that a table read from end to end takes many times what its index takes. */
const productCount = 20_000;
const reviewsPerProduct = 20;

/** What the fault `missing-index` drops and creates again. */
export const reviewsIndex = {
  drop: "DROP INDEX IF EXISTS reviews_product_id",
  create: "CREATE INDEX IF NOT EXISTS reviews_product_id ON reviews (product_id)",
};

const tables = `
CREATE TABLE IF NOT EXISTS products (
  id integer PRIMARY KEY,
  name text NOT NULL,
  price_cents integer NOT NULL
);
CREATE TABLE IF NOT EXISTS stock (
  product_id integer PRIMARY KEY REFERENCES products,
  quantity bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS reviews (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id integer NOT NULL REFERENCES products,
  stars integer NOT NULL,
  body text NOT NULL
);
CREATE TABLE IF NOT EXISTS carts (
  id uuid PRIMARY KEY,
  product_id integer NOT NULL REFERENCES products,
  quantity integer NOT NULL,
  total_cents integer NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id integer NOT NULL REFERENCES products,
  quantity integer NOT NULL,
  total_cents integer NOT NULL,
  state text NOT NULL
);
TRUNCATE carts, orders RESTART IDENTITY;
-- A shop's statement has one core, and is too short for compiling it to pay. Not as options of a connection, which
-- PgBouncer refuses, and in no other database of the role.
DO $$ BEGIN
  EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET max_parallel_workers_per_gather = 0', current_database());
  EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET jit = off', current_database());
END $$;
`;

const seeds = [
  `INSERT INTO products
     SELECT id, 'Item ' || id, 500 + (id * 7919) % 20000 FROM generate_series(1, ${productCount}) AS id`,
  `INSERT INTO stock SELECT id, 1000000000 FROM products`,
  `INSERT INTO reviews (product_id, stars, body)
     SELECT 1 + n % ${productCount}, 1 + (n * 7) % 5, 'Held in a gale. ' || md5(n::text)
       FROM generate_series(0, ${productCount * reviewsPerProduct - 1}) AS n`,
];

/** All or nothing. @param {import("pg").Client} client */
export async function createSchema(client) {
  await client.query("BEGIN");
  await client.query(tables);
  const { rows } = await client.query("SELECT FROM products LIMIT 1");
  if (rows.length === 0) {
    for (const seed of seeds) await client.query(seed);
    for (const { id, name, priceCents } of firstPage) {
      const values = [id, name, priceCents];
      await client.query("UPDATE products SET name = $2, price_cents = $3 WHERE id = $1", values);
    }
  }
  // Also where a shop was killed while the fault was on.
  await client.query(reviewsIndex.create);
  await client.query("COMMIT");
  await client.query("VACUUM ANALYZE products, stock, reviews");
}

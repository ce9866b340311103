/**
 * Faults of the database and of the way to it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { createRandom } from "../random.mjs";
import { reviewsIndex } from "../schema.mjs";
import { startDelayProxy } from "./delay-proxy.mjs";

/** `pool`: what is left of the pool's connections. */
const smallPoolSize = 2;

/**
 * `lock`: how long the table is locked, at least and at most, and how long it is free before the next time, in
 * milliseconds. In a steady beat of a second who scrapes every second would look when it is free, time after time.
 */
const lockedMs = { least: 450, most: 750 };
const freeMs = 150;

/** `idle-in-transaction`: how many connections of the pool are not given back, and each for how long. */
const leakedConnections = 8;
const leakMs = 3_000;

/** `network`: in each direction, in milliseconds: the database in another region. */
const networkDelayMs = 20;

/** @param {{ database: import("../database.mjs").Database }} parts */
export function createDatabaseFaults({ database }) {
  /** Runs `work` again and again until it is stopped. */
  function repeat(work) {
    const stopping = new AbortController();
    const { signal } = stopping;
    const running = (async () => {
      while (!signal.aborted) {
        try {
          await work(signal);
        } catch (error) {
          if (signal.aborted) return;
          console.error(error);
          await delay(freeMs, undefined, { signal }).catch(() => {});
        }
      }
    })();
    return async () => {
      stopping.abort();
      await running;
    };
  }

  const execute = (text) => database.use((query) => query(text));

  return {
    pool: {
      async start() {
        const { size } = database.settings;
        await database.change({ size: smallPoolSize });
        return () => database.change({ size });
      },
    },

    "slow-query": {
      async start() {
        database.isSortedByRating = true;
        return async () => void (database.isSortedByRating = false);
      },
    },

    "missing-index": {
      async start() {
        await execute(reviewsIndex.drop);
        return async () => void (await execute(reviewsIndex.create));
      },
    },

    lock: {
      async start() {
        // Not one of the pool's: the shop has all of its connections, and waits with them.
        const client = new Client({
          connectionString: database.settings.url,
          application_name: "stocktaking",
        });
        await client.connect();
        const random = createRandom(1);
        const end = repeat(async (signal) => {
          const ms = lockedMs.least + random() * (lockedMs.most - lockedMs.least);
          await client.query("BEGIN");
          try {
            await client.query("LOCK TABLE stock IN EXCLUSIVE MODE");
            // Asleep in a statement, so that it is the lock that shows, and not a session that is idle with it.
            await client.query("SELECT pg_sleep($1)", [ms / 1_000]);
          } finally {
            await client.query("ROLLBACK");
          }
          await delay(freeMs, undefined, { signal });
        });
        return async () => {
          await end();
          await client.end();
        };
      },
    },

    "idle-in-transaction": {
      async start() {
        const ends = Array.from({ length: leakedConnections }, (_, index) =>
          repeat((signal) =>
            database.use(async (query) => {
              await query("BEGIN");
              try {
                await query("SELECT FROM stock WHERE product_id = $1 FOR UPDATE", [1_000 + index]);
                await delay(leakMs, undefined, { signal });
              } finally {
                await query("ROLLBACK");
              }
            }),
          ),
        );
        return async () => void (await Promise.all(ends.map((end) => end())));
      },
    },

    network: {
      async start() {
        const { url } = database.settings;
        const proxy = await startDelayProxy({ target: new URL(url), delayMs: networkDelayMs });
        const through = new URL(url);
        through.host = `127.0.0.1:${proxy.port}`;
        try {
          await database.change({ url: through.href });
        } catch (error) {
          await proxy.close();
          throw error;
        }
        return async () => {
          await database.change({ url });
          await proxy.close();
        };
      },
    },
  };
}

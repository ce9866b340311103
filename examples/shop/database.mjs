/**
 * The shop's connections: a pool that measures itself, and that can be replaced by another while requests use it.
 *
 * In:  the database's URL, the pool's size.
 * Out: a connection for as long as a piece of work takes; the metrics `db_client_*` of it.
 *
 * A request that comes after the change gets a connection of the new pool. Those before it keep theirs, those that wait
 * included, and the old pool ends with the last of them.
 */
import { Pool, types } from "pg";

/** Who has waited this long for a connection gets an error: longer than any client of the examples waits. */
const acquireTimeoutMs = 5_000;

/** An answer in JSON has numbers; ours are below 2^53. */
types.setTypeParser(types.builtins.INT8, Number);

/**
 * @typedef {object} Settings
 * @property {string} url
 * @property {number} size
 */

/** @typedef {Awaited<ReturnType<typeof openDatabase>>} Database */

/** @param {{ settings: Settings, metrics: import("./metrics.mjs").DatabaseMetrics }} options */
export async function openDatabase({ settings, metrics }) {
  /** Those that still have connections; the last is the one in use. @type {ReturnType<typeof createPool>[]} */
  const pools = [];
  const current = () => pools.at(-1);

  async function open(next) {
    const pool = createPool(next);
    // Before it is in use, so that no request pays for the connections of all others.
    try {
      await pool.warm();
    } catch (error) {
      await pool.retire();
      throw error;
    }
    pools.push(pool);
  }

  metrics.observePool(() => ({
    max: current().settings.size,
    used: sumOf(pools, ({ pool }) => pool.totalCount - pool.idleCount),
    idle: sumOf(pools, ({ pool }) => pool.idleCount),
    pending: sumOf(pools, ({ pool }) => pool.waitingCount),
  }));
  await open(settings);

  return {
    /** Switched by the fault `slow-query`. */
    isSortedByRating: false,

    get settings() {
      return current().settings;
    },

    /**
     * Gives `work` a connection. Rejects with the pool's error where there was none in time.
     *
     * @template T
     * @param {(query: (text: string, values?: unknown[]) => Promise<import("pg").QueryResult>) => Promise<T>} work
     * @returns {Promise<T>}
     */
    async use(work) {
      const pool = current();
      const client = await metrics.timeWait(() => pool.acquire());
      const endUse = metrics.startUse();
      let broken;
      const query = async (text, values) => {
        try {
          return await metrics.timeOperation(text.split(" ", 1)[0], () =>
            client.query(text, values),
          );
        } catch (error) {
          // In a transaction, or cut off: the next one gets a fresh connection.
          broken = error;
          throw error;
        }
      };
      try {
        return await work(query);
      } finally {
        endUse();
        pool.release(client, broken);
      }
    },

    /** Replaces the pool. Resolves when the new one is in use and the old one is gone. @param {Partial<Settings>} changes */
    async change(changes) {
      const old = current();
      await open({ ...old.settings, ...changes });
      await old.retire();
      pools.splice(pools.indexOf(old), 1);
    },

    async close() {
      await Promise.all(pools.map((pool) => pool.retire()));
    },
  };
}

/** @param {Settings} settings */
function createPool(settings) {
  const pool = new Pool({
    connectionString: settings.url,
    max: settings.size,
    connectionTimeoutMillis: acquireTimeoutMs,
    idleTimeoutMillis: 0,
    application_name: "shop",
  });
  // An idle connection that is cut, e.g. because Postgres restarts: the pool makes another.
  pool.on("error", (error) => console.error(`lost a connection to the database: ${error.message}`));
  let users = 0;
  let unused = () => {};

  const release = (client, broken) => {
    client?.release(broken);
    users -= 1;
    if (users === 0) unused();
  };

  return {
    pool,
    settings,
    async acquire() {
      users += 1;
      try {
        return await pool.connect();
      } catch (error) {
        release();
        throw error;
      }
    },
    release,
    async warm() {
      const results = await Promise.allSettled(
        Array.from({ length: settings.size }, () => pool.connect()),
      );
      // Given back also where others failed: the pool's end waits for them.
      for (const result of results) if (result.status === "fulfilled") result.value.release();
      for (const result of results) if (result.status === "rejected") throw result.reason;
    },
    /** Resolves when its last user has gone: `end` alone would leave those who wait waiting. */
    async retire() {
      if (users > 0) await new Promise((resolve) => (unused = resolve));
      await pool.end();
    },
  };
}

function sumOf(items, valueOf) {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}

/**
 * Each fault of the example shop shows on the resource that it is named for, under load on a real Postgres, and leaves
 * nothing behind when it is switched off.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithPostgres } from "../support/postgres.ts";
import { startShop, type Shop } from "../support/shop.ts";
import { createTemporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { startVisitors, type Visitors } from "../support/visitors.ts";

/** How long a fault may take to show; the leak is the slowest. */
const showsWithinMs = 30_000;

/** What the shop promises: that it is itself again. */
const recoversWithinMs = 5_000;

/** The time over which shares and means are taken. */
const windowMs = 2_000;

const pool = { db_client_connection_pool_name: "shop" };

describeWithPostgres("the shop on Postgres, with faults", (postgres) => {
  let folder: TemporaryFolder;
  let shop: Shop;
  let visitors: Visitors;
  let observer: Client;
  beforeAll(async () => {
    folder = await createTemporaryFolder();
    shop = await startShop({
      databaseUrl: postgres().url,
      flags: ["--faults", "--disk-folder", folder.path],
    });
    observer = new Client({ connectionString: postgres().url, application_name: "test" });
    await observer.connect();
    visitors = startVisitors(shop.url);
  });
  afterAll(async () => {
    await visitors[Symbol.asyncDispose]();
    await observer.end();
    await shop[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("sells, before anything is wrong, and keeps its connections when a card is declined", async () => {
    const before = await connections();
    expect(before).toHaveLength(10);
    await until(async () => (visitors.statuses.get(402) ?? 0) >= 3);
    expect(await connections()).toEqual(before);
    expect(await ordersWith("paid")).toBeGreaterThan(20);
    expect([...visitors.statuses.keys()].filter((status) => status >= 501)).toEqual([]);
    expect(await shop.metric("shop_fault_active")).toBe(0);
    expect(await shop.metric("db_client_connection_max", pool)).toBe(10);
  });

  it("pool: requests wait for one of two connections", async () => {
    await withFault("pool", async () => {
      expect(await shop.metric("db_client_connection_max", pool)).toBe(2);
      await until(async () => (await shop.metric("db_client_connection_pending_requests")) >= 4);
      expect(await sessions("state <> 'idle'")).toBeLessThanOrEqual(2);
    });
    expect(await shop.metric("db_client_connection_max", pool)).toBe(10);
    await until(
      async () => (await shop.metric("db_client_connection_pending_requests")) === 0,
      recoversWithinMs,
    );
    expect(await sessions("application_name = 'shop'")).toBe(10);
  });

  it("slow-query: the database reads every review for each page", async () => {
    const indexes = await reviewIndexes();
    await withFault("slow-query", async () => {
      await until(async () => (await meanMs(operation("SELECT"))) > 20);
      expect(await rowsScanned()).toBeGreaterThan(400_000);
    });
    await until(async () => (await rowsScanned()) === 0, recoversWithinMs);
    expect(await reviewIndexes()).toEqual(indexes);
  });

  it("missing-index: the database reads every review for each product", async () => {
    const indexes = await reviewIndexes();
    expect(indexes).toContain("reviews_product_id");
    await withFault("missing-index", async () => {
      expect(await reviewIndexes()).not.toContain("reviews_product_id");
      await until(async () => (await meanMs(operation("SELECT"))) > 10);
      expect(await rowsScanned()).toBeGreaterThan(400_000);
    });
    expect(await reviewIndexes()).toEqual(indexes);
    await until(async () => (await rowsScanned()) === 0, recoversWithinMs);
  });

  it("lock: checkouts wait for a lock that somebody else holds", async () => {
    await withFault("lock", async () => {
      await until(async () => (await sessions("wait_event_type = 'Lock'")) >= 3);
      expect(await sessions("application_name = 'stocktaking'")).toBe(1);
      expect(await idleInTransaction()).toBeLessThanOrEqual(2);
    });
    expect(await sessions("application_name = 'stocktaking'")).toBe(0);
    await until(
      async () => (await meanMs({ ...operation("SELECT"), windowMs: 500 })) < 100,
      recoversWithinMs,
    );
  });

  it("idle-in-transaction: eight connections are held by transactions that do nothing", async () => {
    await withFault("idle-in-transaction", async () => {
      await until(async () => (await idleInTransaction()) >= 7);
      await until(async () => (await shop.metric("db_client_connection_pending_requests")) >= 4);
    });
    await until(async () => (await idleInTransaction()) === 0, recoversWithinMs);
  });

  it("network: each statement takes two delays longer, and Postgres has nothing to do", async () => {
    await withFault("network", async () => {
      await until(async () => (await meanMs(operation("BEGIN"))) >= 40);
      const busy = () => sessions("state = 'active' AND wait_event IS NULL");
      // One look alone may be at a moment that is like no other.
      expect((await looksAt(busy)).at(-2)).toBeLessThanOrEqual(3);
    });
    await until(
      async () => (await meanMs({ ...operation("BEGIN"), windowMs: 500 })) < 20,
      recoversWithinMs,
    );
  });

  it("disk: commits wait for the disk, and what a shop that was killed has left is removed", async () => {
    // Above every process id.
    await mkdir(join(folder.path, `shop-disk-fault-${2 ** 30}-killed`));
    const beforeMs = await meanMs(operation("COMMIT"));
    await withFault("disk", async () => {
      await until(async () => (await meanMs(operation("COMMIT"))) > 2 * beforeMs);
      await until(
        async () => (await sessions("wait_event IN ('WALSync', 'WalSync', 'WALWrite')")) > 0,
      );
      expect(await readdir(folder.path)).toHaveLength(1);
    });
    expect(await readdir(folder.path)).toEqual([]);
    await until(
      async () => (await meanMs({ ...operation("COMMIT"), windowMs: 500 })) < 2 * beforeMs,
      recoversWithinMs,
    );
  });

  it("cpu: the event loop has no time left, and garbage collection is not why", async () => {
    await withFault("cpu", async () => {
      await until(async () => (await share(activeSeconds)) > 0.95);
      expect(await share(gcSeconds)).toBeLessThan(0.1);
    });
    await until(async () => (await share(activeSeconds, 500)) < 0.9, recoversWithinMs);
  });

  it("memory: the heap is nearly full, and collecting garbage takes a large share of the time", async () => {
    const heapUse = async () =>
      (await shop.metric("nodejs_heap_size_used_bytes")) /
      (await shop.metric("v8js_memory_heap_limit_bytes"));
    expect(await heapUse()).toBeLessThan(0.3);
    await withFault("memory", async () => {
      await until(async () => (await heapUse()) > 0.8);
      await until(async () => (await share(gcSeconds)) > 0.3);
    });
    await until(async () => (await heapUse()) < 0.3, recoversWithinMs);
    await until(async () => (await share(gcSeconds, 500)) < 0.1, recoversWithinMs);
  });

  it("dependency: payments take longer, and hold no connection meanwhile", async () => {
    const call = {
      name: "http_client_request_duration_seconds",
      labels: { server_address: "payments" },
    };
    await withFault("dependency", async () => {
      await until(async () => (await meanMs(call)) > 400);
      expect(await idleInTransaction()).toBeLessThanOrEqual(2);
      expect(await shop.metric("db_client_connection_pending_requests")).toBe(0);
    });
    await until(async () => (await meanMs({ ...call, windowMs: 1_000 })) < 200, recoversWithinMs);
  });

  it("says which faults it knows to those who ask for another", async () => {
    const response = await fetch(`${shop.url}/faults/fire`, { method: "PUT" });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("expected one of pool, slow-query");
  });

  it("ends a fault that is on when it ends itself", async () => {
    await using other = await startShop({ databaseUrl: postgres().url, flags: ["--faults"] });
    await fetch(`${other.url}/faults/missing-index`, { method: "PUT" });
    expect(await reviewIndexes()).not.toContain("reviews_product_id");
    await other[Symbol.asyncDispose]();
    expect(await reviewIndexes()).toContain("reviews_product_id");
  });

  /** Switches a fault on for as long as `body` takes. */
  async function withFault(name: string, body: () => Promise<void>): Promise<void> {
    const turn = async (method: string) => {
      const response = await fetch(`${shop.url}/faults/${name}`, { method });
      expect(response.status, await response.text()).toBe(200);
    };
    await turn("PUT");
    try {
      expect(await shop.metric("shop_fault_active")).toBe(1);
      expect(await shop.metric("shop_fault_active", { fault: name })).toBe(1);
      await body();
    } finally {
      await turn("DELETE");
    }
    expect(await shop.metric("shop_fault_active")).toBe(0);
  }

  const activeSeconds = () =>
    shop.metric("nodejs_eventloop_time_seconds_total", { nodejs_eventloop_state: "active" });
  const gcSeconds = () => shop.metric("nodejs_gc_duration_seconds_sum");

  /** By how much a counter of seconds grows in a second. */
  async function share(read: () => Promise<number>, overMs = windowMs): Promise<number> {
    const [before, startMs] = [await read(), performance.now()];
    await delay(overMs);
    return (1_000 * ((await read()) - before)) / (performance.now() - startMs);
  }

  interface Histogram {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly windowMs?: number;
  }

  const operation = (name: string): Histogram => ({
    name: "db_client_operation_duration_seconds",
    labels: { db_operation_name: name },
  });

  /** Of what is observed while we look; NaN where that is nothing. */
  async function meanMs({ name, labels, windowMs: overMs = windowMs }: Histogram): Promise<number> {
    const read = async () =>
      [
        await shop.metric(`${name}_sum`, labels),
        await shop.metric(`${name}_count`, labels),
      ] as const;
    const [sumBefore, countBefore] = await read();
    await delay(overMs);
    const [sum, count] = await read();
    return (1_000 * (sum - sumBefore)) / (count - countBefore);
  }

  /** Twenty looks, ascending. */
  async function looksAt(look: () => Promise<number>): Promise<number[]> {
    const looks: number[] = [];
    while (looks.length < 20) {
      looks.push(await look());
      await delay(windowMs / 20);
    }
    return looks.sort((a, b) => a - b);
  }

  async function count(query: string): Promise<number> {
    const { rows } = await observer.query<{ count: string }>(query);
    return Number(rows[0]?.count);
  }

  const sessions = (condition: string) =>
    count(
      `SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name <> 'test' AND ${condition}`,
    );
  /** The processes behind those of the pool. */
  async function connections(): Promise<number[]> {
    const { rows } = await observer.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop' ORDER BY pid",
    );
    return rows.map(({ pid }) => pid);
  }
  /** For longer than a transaction of the shop takes. */
  const idleInTransaction = () =>
    sessions("state = 'idle in transaction' AND state_change < now() - interval '0.2 s'");
  const ordersWith = (state: string) =>
    count(`SELECT count(*) FROM orders WHERE state = '${state}'`);

  /** By sequential scans of the reviews while we look. Postgres's statistics are up to a second old. */
  async function rowsScanned(): Promise<number> {
    const read = () =>
      count("SELECT seq_tup_read AS count FROM pg_stat_user_tables WHERE relname = 'reviews'");
    const before = await read();
    await delay(windowMs);
    return (await read()) - before;
  }

  async function reviewIndexes(): Promise<string[]> {
    const { rows } = await observer.query<{ indexname: string }>(
      "SELECT indexname FROM pg_indexes WHERE tablename = 'reviews' ORDER BY indexname",
    );
    return rows.map(({ indexname }) => indexname);
  }
});

/** Resolves when `holds` is true; asks until then. */
async function until(holds: () => Promise<boolean>, withinMs = showsWithinMs): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await holds())) {
    expect(performance.now(), holds.toString()).toBeLessThan(deadlineMs);
    await delay(50);
  }
}

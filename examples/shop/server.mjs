/**
 * Starts the shop. `--help` says how.
 *
 * Prints one line of JSON, `{"url": …}`, when it listens, and ends on SIGINT or SIGTERM after the requests in flight,
 * with every fault switched off.
 */
import { fork } from "node:child_process";
import { parseArgs } from "node:util";
import v8 from "node:v8";
import { Client } from "pg";
import { createShop } from "./app.mjs";
import { openDatabase } from "./database.mjs";
import { createFaults } from "./faults/faults.mjs";
import { createMemoryStore } from "./memory-store.mjs";
import { createMetrics } from "./metrics.mjs";
import { startPayments } from "./payments-client.mjs";
import { createPostgresStore } from "./postgres-store.mjs";
import { createSchema } from "./schema.mjs";

/** How long requests in flight may take to end, in milliseconds: more than the slowest route needs. */
const graceMs = 2_000;

/** With faults, the heap is small enough to be filled in seconds, in MiB; a shop needs 30. */
const heapMib = 192;

/**
 * The limit that V8 names includes the young generation, here 12 MiB. What it marks in small steps between collections
 * would be missing in `nodejs_gc_duration_seconds`.
 */
const heapFlags = [
  `--max-old-space-size=${heapMib}`,
  "--max-semi-space-size=4",
  "--no-incremental-marking",
];

const help = `Usage: node examples/shop/server.mjs [options]

A small shop to load: HTTP routes over a Postgres, with metrics at /metrics.

  --port N          port to listen on; 0: any free one (default 8080)
  --host ADDRESS    address to listen on (default 127.0.0.1)
  --seed N          of the delays and of the payments that fail (default 1)
  --database URL    postgres://user:password@host:port/database; its tables are made at the start
                    (default: $DATABASE_URL, which keeps the password off the command line;
                    without either the data is in memory, and there is no pool to look at)
  --pool-size N     connections to the database (default 10)
  --faults          PUT and DELETE /faults/NAME switch faults on and off, GET /faults lists them;
                    the heap is limited to ${heapMib} MiB
  --disk-folder DIR where the fault "disk" writes (default: beside the database's data where that
                    is on this machine, else the folder for temporary files)
  --help            this
`;

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    host: { type: "string", default: "127.0.0.1" },
    seed: { type: "string", default: "1" },
    database: { type: "string", default: process.env.DATABASE_URL },
    "pool-size": { type: "string", default: "10" },
    faults: { type: "boolean", default: false },
    "disk-folder": { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (flags.help) {
  console.log(help);
} else if (flags.faults && v8.getHeapStatistics().heap_size_limit > 2 * heapMib * 2 ** 20) {
  runWithSmallHeap();
} else {
  await run().catch((error) => {
    console.error(`the shop does not start: ${error.message}`);
    process.exit(1);
  });
}

/** V8 takes its flags only at its start. */
function runWithSmallHeap() {
  const execArgv = [...process.execArgv, ...heapFlags];
  const child = fork(process.argv[1], process.argv.slice(2), { execArgv });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.once("exit", (code) => process.exit(code ?? 1));
}

async function run() {
  const metrics = createMetrics();
  const seed = Number(flags.seed);
  const database = flags.database && (await prepareDatabase(flags.database, metrics));
  if (!database) console.error("no --database: the data is in memory, and there is no pool");
  const store = database ? createPostgresStore({ database }) : createMemoryStore();
  const payments = await startPayments({ seed, metrics });
  const diskFolder = flags["disk-folder"];
  const faults = flags.faults
    ? createFaults({ database, payments, metrics, diskFolder })
    : undefined;
  const server = createShop({ store, payments, metrics, seed, faults });

  server.listen(Number(flags.port), flags.host, () => {
    const { address, port } = server.address();
    console.log(JSON.stringify({ url: `http://${address}:${port}` }));
  });

  async function end() {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), graceMs).unref();
    await faults?.close();
    await closed;
    await payments.close();
    await store.close();
    process.exit();
  }
  const stop = () => void end();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  // Whoever limited our heap has ended.
  process.once("disconnect", stop);
}

async function prepareDatabase(url, metrics) {
  const client = new Client({ connectionString: url, application_name: "shop" });
  try {
    await client.connect();
    await createSchema(client);
  } catch (error) {
    const { host, pathname } = new URL(url);
    throw new Error(`cannot use the database ${host}${pathname}: ${error.message}`, {
      cause: error,
    });
  } finally {
    await client.end();
  }
  const settings = { url, size: Number(flags["pool-size"]) };
  return await openDatabase({ settings, metrics: metrics.ofDatabase() });
}

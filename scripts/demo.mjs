/**
 * `npm run demo [-- --json] [--keep] [--duration 45s] [--k6 PATH]`: the whole of Plimsoll in a minute.
 *
 * Starts the stack (`plimsoll up`): Prometheus, a shop on Postgres, exporters. Loads the shop with k6 where there is one,
 * else with autocannon, and streams the samples to that Prometheus. In the middle third the shop's connection pool shrinks
 * to 2. Then holds what Prometheus answers against what the load generator counted, and asks it which resource answers for
 * the slow time.
 *
 *   --json      print one JSON object on stdout, and nothing else there
 *   --keep      leave the stack running, with its data
 *   --duration  how long to load, e.g. 30s or 1m
 *   --k6 PATH   the k6 to use
 *
 * Exit code 1 if anything does not reconcile, and why on stderr; 130 after Ctrl-C. Leaves nothing behind.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { measureRun, problemsOf, toTable } from "./demo-measure.mjs";
import { startStack } from "./demo-processes.mjs";
import { runDemoLoad } from "./demo-load.mjs";
import { ensureBuild, ensureDependencies, ensureNode } from "./setup.mjs";
import { installTools, toolPath } from "./tools.mjs";

const log = (/** @type {string} */ line) => console.error(line);

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    duration: { type: "string", default: "45s" },
    k6: { type: "string" },
  },
});

/** Often enough for a slow phase of some seconds. */
const scrapeSeconds = 1;

const durationMs = parseDuration(flags.duration);

const interrupted = new AbortController();
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
}

try {
  process.exitCode = (await demo()) ? 0 : 1;
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}

/** @returns {Promise<boolean>} Whether everything reconciles. */
async function demo() {
  const { signal } = interrupted;
  ensureNode();
  await ensureDependencies();
  await ensureBuild();
  const k6 = flags.k6 ?? toolPath("k6-2") ?? toolPath("k6-1");
  if (!k6)
    log("no k6 here, so autocannon makes the load; `node scripts/tools.mjs install k6-2` gets one");
  await installStack();
  signal.throwIfAborted();

  /** @type {(() => Promise<void>)[]} */
  const cleanUps = [];
  try {
    const workFolder = await temporaryFolder("plimsoll-demo-", cleanUps);
    /** @type {(() => Promise<void>)[]} */
    const stackCleanUps = [];
    cleanUps.push(() => runAll(stackCleanUps));
    const stackFolder = await temporaryFolder("plimsoll-demo-stack-", stackCleanUps);
    const stack = await startStack(stackFolder, { scrapeInterval: `${scrapeSeconds}s`, signal });
    stackCleanUps.push(stack.stop);
    for (const { name, note } of stack.leftOut) log(`without ${name}: ${note}`);
    signal.throwIfAborted();

    const { shopUrl, storeUrl } = stack;
    // Without Postgres there is no pool that could run dry.
    const fault = stack.leftOut.some(({ name }) => name === "postgres") ? undefined : "pool";
    const load = { shopUrl, storeUrl, workFolder, k6, durationMs, fault };
    const run = await runDemoLoad({ ...load, signal });
    const measured = await measureRun(run, storeUrl, scrapeSeconds);
    const problems = problemsOf(run, measured);
    const report = {
      generator: run.generator,
      prometheus: { version: stack.version, url: storeUrl },
      ...measured,
      reconciled: problems.length === 0,
    };

    const { counts, ...others } = report;
    console.log(flags.json ? JSON.stringify({ ...counts, ...others }, null, 2) : toTable(report));
    for (const problem of problems) log(`does not reconcile: ${problem}`);
    if (flags.keep) {
      stackCleanUps.length = 0;
      log(`the stack goes on: Prometheus at ${storeUrl}, the shop at ${shopUrl}`);
      log(`to end it: ${stack.downCommand}; rm -r ${stackFolder}`);
    }
    return problems.length === 0;
  } finally {
    await runAll(cleanUps);
  }
}

/** Without what it takes minutes to build: Prometheus 3 is taken where it is built already. */
async function installStack() {
  const prometheus = toolPath("prometheus-3") === undefined ? ["prometheus-2"] : [];
  const exporters = ["node-exporter"];
  if (toolPath("postgres-exporter") === undefined) exporters.push("postgres-exporter-debian");
  const reports = await installTools([...prometheus, ...exporters], { log });
  // `plimsoll up` names the exporters that it misses; nothing goes on without Prometheus.
  const missing = reports.find(({ tool, path }) => prometheus.includes(tool.name) && !path);
  if (missing) throw new Error(`no Prometheus: ${missing.missing}`);
}

/**
 * @param {string} prefix
 * @param {(() => Promise<void>)[]} cleanUps
 */
async function temporaryFolder(prefix, cleanUps) {
  const folder = await mkdtemp(path.join(tmpdir(), prefix));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The last first. @param {readonly (() => Promise<void>)[]} cleanUps */
async function runAll(cleanUps) {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
}

/**
 * @param {string} text
 * @returns {number} Milliseconds.
 */
function parseDuration(text) {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(text) ?? [];
  if (number === undefined) {
    log(`--duration is ${JSON.stringify(text)}; expected seconds or minutes, e.g. 45s or 2m`);
    process.exit(2);
  }
  return Number(number) * (unit === "m" ? 60_000 : 1_000);
}

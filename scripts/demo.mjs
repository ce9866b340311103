/**
 * `npm run demo [-- --json] [--keep] [--duration 30s] [--k6 PATH]`: the whole of Plimsoll in half a minute.
 *
 * Starts a Prometheus and a shop, loads the shop with k6 where there is one, else with autocannon, and streams the
 * samples to that Prometheus. Then holds what Prometheus answers against what the load generator counted.
 *
 *   --json      print one JSON object on stdout, and nothing else there
 *   --keep      leave Prometheus running, with its data
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
import { startPrometheus, startShop } from "./demo-processes.mjs";
import { runDemoLoad } from "./demo-load.mjs";
import { versionText } from "./run.mjs";
import { ensureBuild, ensureDependencies, ensureNode } from "./setup.mjs";
import { installTools, toolPath } from "./tools.mjs";

const log = (/** @type {string} */ line) => console.error(line);

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    duration: { type: "string", default: "30s" },
    k6: { type: "string" },
  },
});

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
  const program = await findPrometheus();
  signal.throwIfAborted();

  /** @type {(() => Promise<void>)[]} */
  const cleanUps = [];
  try {
    const workFolder = await temporaryFolder("plimsoll-demo-", cleanUps);
    /** @type {(() => Promise<void>)[]} */
    const storeCleanUps = [];
    cleanUps.push(() => runAll(storeCleanUps));
    const storeFolder = await temporaryFolder("plimsoll-demo-prometheus-", storeCleanUps);
    const shop = await startShop();
    cleanUps.push(shop.stop);
    const prometheus = await startPrometheus(storeFolder, program, shop.url);
    storeCleanUps.push(prometheus.stop);
    signal.throwIfAborted();

    const target = { shopUrl: shop.url, storeUrl: prometheus.url, workFolder };
    const run = await runDemoLoad({ ...target, k6, duration: flags.duration, signal });
    const measured = await measureRun(run, prometheus.url);
    const problems = problemsOf(run, measured);
    const report = {
      generator: run.generator,
      prometheus: {
        version: /version (\d\S*)/.exec(versionText(program) ?? "")?.[1] ?? "unknown",
        url: prometheus.url,
      },
      ...measured,
      reconciled: problems.length === 0,
    };

    const { counts, ...others } = report;
    console.log(flags.json ? JSON.stringify({ ...counts, ...others }, null, 2) : toTable(report));
    for (const problem of problems) log(`does not reconcile: ${problem}`);
    if (flags.keep) {
      storeCleanUps.length = 0;
      prometheus.leave();
      log(`Prometheus goes on at ${prometheus.url}, with its data in ${storeFolder}`);
      log(`to end it: kill ${prometheus.pid}; rm -r ${storeFolder}`);
    }
    return problems.length === 0;
  } finally {
    await runAll(cleanUps);
  }
}

/** The newest there is: Prometheus 3 is built from source, which a demo does not wait for. */
async function findPrometheus() {
  const newest = toolPath("prometheus-3");
  if (newest !== undefined) return newest;
  const [report] = await installTools(["prometheus-2"], { log });
  if (report?.path === undefined) throw new Error(`no Prometheus: ${report?.missing}`);
  return report.path;
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

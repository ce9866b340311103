/**
 * `npm run bench -- attribution [--repetitions 10] [--faults pool,lock,…] [--lanes 1]`: is the question answered?
 *
 * Loads the example shop with k6 for two minutes (`--seconds`), switches one fault on for the minute in the middle, and
 * asks Prometheus which resource answers for the slow time. Repeats it for each fault, and without one. Prints each
 * answer, and how often the right resource came first. The system is scraped every 5 s (`--scrape-seconds`).
 *
 * Lanes are stacks beside each other, each with a shop, a Postgres and a Prometheus of its own. They share the host, so
 * faults that use up the host (`cpu`, `disk`, `memory`) want one lane.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { resources } from "../../dist/dashboards/attribution.js";
import { startStack } from "../../scripts/demo-processes.mjs";
import { askWhatAnswers, faultFor } from "../../scripts/fault-run.mjs";
import { projectFolder } from "../../scripts/setup.mjs";
import { toolPath } from "../../scripts/tools.mjs";

/** Fault of the shop to the resource that must come first. */
const expected = {
  pool: "connection pool",
  lock: "locks",
  cpu: "CPU",
  disk: "disk",
  memory: "memory",
  dependency: "dependency",
};

/** A resource whose share is above this stands out. As the dashboard's colours have it: orange. */
const threshold = 0.25;

/** When the fault is switched on, and for how long, in parts of the run: quiet at first, and long enough at the end. */
const faultFrom = 1 / 3;
const faultShare = 1 / 2;

const main = path.join(projectFolder, "dist", "cli", "main.js");

/** @param {readonly string[]} args */
export async function bench(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repetitions: { type: "string", default: "10" },
      faults: { type: "string", default: [...Object.keys(expected), "none"].join(",") },
      lanes: { type: "string", default: "1" },
      seconds: { type: "string", default: "120" },
      "scrape-seconds": { type: "string", default: "5" },
    },
  });
  const runSeconds = Number(values.seconds);
  const scrapeSeconds = Number(values["scrape-seconds"]);
  const faults = values.faults.split(",");
  const repetitions = Number(values.repetitions);
  const tasks = Array.from({ length: repetitions }, (_, repetition) =>
    faults.map((fault) => ({ fault, repetition: repetition + 1 })),
  ).flat();
  /** @type {Map<string, boolean[]>} */
  const results = new Map(faults.map((fault) => [fault, []]));
  const folders = [];
  const stacks = [];
  const { signal } = new AbortController();
  try {
    // One after the other: each looks for free ports.
    for (let lane = 0; lane < Number(values.lanes); lane++) {
      const folder = await mkdtemp(path.join(tmpdir(), "plimsoll-attribution-"));
      folders.push(folder);
      stacks.push(await startStack(folder, { scrapeInterval: `${scrapeSeconds}s`, signal }));
    }
    const work = async (/** @type {number} */ lane) => {
      const folder = folders[lane] ?? "";
      const { storeUrl = "", shopUrl = "" } = stacks[lane] ?? {};
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
        const { text, right } = await attempt({
          storeUrl,
          shopUrl,
          runSeconds,
          scrapeSeconds,
          ...task,
          folder,
        });
        console.log(text);
        results.get(task.fault)?.push(right);
      }
    };
    await Promise.all(stacks.map((_, lane) => work(lane)));
  } finally {
    for (const stack of stacks) await stack.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
  console.log("");
  for (const [fault, rights] of results) {
    const count = rights.filter(Boolean).length;
    const wanted = expected[/** @type {keyof typeof expected} */ (fault)] ?? "none above 25 %";
    console.log(`${fault.padEnd(12)} ${wanted.padEnd(18)} ${count} of ${rights.length}`);
  }
}

/**
 * @param {object} options
 * @param {string} options.storeUrl
 * @param {string} options.shopUrl
 * @param {number} options.runSeconds
 * @param {number} options.scrapeSeconds
 * @param {string} options.folder
 * @param {string} options.fault
 * @param {number} options.repetition
 */
async function attempt(options) {
  const { storeUrl, shopUrl, runSeconds, scrapeSeconds, folder, fault, repetition } = options;
  const testid = `${fault}-${repetition}-${Date.now().toString(36)}`;
  const report = path.join(folder, `${testid}.json`);
  const ended = new AbortController();
  const afterMs = 1_000 * runSeconds * faultFrom;
  const forMs = 1_000 * runSeconds * faultShare;
  const switching =
    fault === "none"
      ? Promise.resolve()
      : faultFor({ shopUrl, fault, afterMs, forMs, signal: ended.signal });
  switching.catch(() => {});
  const k6 = toolPath("k6-2") ?? toolPath("k6-1") ?? "k6";
  const load = [path.join(projectFolder, "examples", "faults.js"), "--k6", k6, "--quiet"];
  const variables = ["-e", `BASE_URL=${shopUrl}`, "-e", `DURATION=${runSeconds}s`];
  const identity = ["--testid", testid, "--test", "faults", "--report", report];
  const output = ["--out", `prometheus-rw=${storeUrl}/api/v1/write`, "--data-dir", folder];
  await plimsoll(["run", ...load, ...variables, ...identity, ...output]);
  ended.abort();
  await switching;
  const { lastPointMs } = JSON.parse(await readFile(report, "utf8"));
  const { slowShare, answers } = await askWhatAnswers({
    storeUrl,
    testid,
    endMs: lastPointMs,
    rangeSeconds: runSeconds,
    scrapeSeconds,
  });
  const [first] = answers;
  const wanted = expected[/** @type {keyof typeof expected} */ (fault)];
  // Where something is not measured, "none" would be no answer.
  const isMeasured = answers.length === resources.length && Number.isFinite(slowShare);
  const right =
    isMeasured &&
    (wanted === undefined
      ? answers.every(({ share }) => share <= threshold)
      : first?.resource === wanted &&
        first.share > threshold &&
        first.share > (answers[1]?.share ?? 0));
  const shares = answers.map(({ resource, share }) => `${resource} ${(100 * share).toFixed(0)} %`);
  const slow = `${(100 * slowShare).toFixed(0)} % slow`;
  return {
    text: `${right ? "right" : "WRONG"}  ${testid.padEnd(24)} ${slow.padEnd(11)} ${shares.join(", ")}`,
    right,
  };
}

/**
 * Its own output only where it failed: k6's thresholds fail in a slow phase, as they should, and that is no failure.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number | null>} The exit code.
 */
async function plimsoll(args) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Buffer[]} */
  const printed = [];
  child.stdout.on("data", (chunk) => printed.push(chunk));
  child.stderr.on("data", (chunk) => printed.push(chunk));
  await once(child, "close");
  // 99: k6's thresholds.
  if (child.exitCode !== 0 && child.exitCode !== 99)
    console.error(Buffer.concat(printed).toString("utf8"));
  return child.exitCode;
}

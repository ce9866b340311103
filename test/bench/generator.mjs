/**
 * `npm run bench -- generator [--seconds 10] [--rounds 5] [--rate 0] [--vus 20] [--k6 k6-2]`: what an output costs k6.
 *
 * The same script against the same local server, with outputs that take turns, their order rotated from round to
 * round: requests per second, and the processor time of k6 and all that belongs to the output, per request.
 *
 *   none        k6 alone
 *   built-in    k6 with its own experimental-prometheus-rw, as it is set by default
 *   native      the same, trends as native histograms
 *   json        k6 writing JSON lines to /dev/null: what they cost before anybody reads them
 *   lines       plimsoll run, with every sample by itself
 *   buckets     plimsoll run --k6-samples buckets
 *
 * Without `--rate` k6 sends as fast as it can, so what an output takes is missing from the load; with it the load is the
 * same, and only processor time differs. The server and the Prometheus that receives are processes beside them and
 * are not counted, but share the machine. Start-up and the end are counted, so short runs look dearer.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { findFreePort } from "../../dist/free-port.js";
import { projectFolder } from "../../scripts/setup.mjs";
import { toolPath } from "../../scripts/tools.mjs";

const main = path.join(projectFolder, "dist", "cli", "main.js");
const script = path.join(projectFolder, "test", "bench", "generator-load.js");
const target = path.join(projectFolder, "test", "bench", "generator-target.mjs");

/** Of the times in /proc: the kernel tells all programs 100 a second. Source: proc(5), sysconf(_SC_CLK_TCK). */
const ticksPerSecond = 100;
const startTimeoutMs = 30_000;

/**
 * @typedef {object} Turn
 * @property {number} requests
 * @property {number} rate Requests per second, as k6 says.
 * @property {number} cpuUs Processor time per request, of all processes, in microseconds.
 * @property {number} k6Us The part of it that is k6's.
 *
 * @typedef {object} Way
 * @property {string} program
 * @property {readonly string[]} args
 * @property {Readonly<Record<string, string>>} [env]
 */

/** @param {readonly string[]} args */
export async function bench(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "10" },
      rounds: { type: "string", default: "5" },
      rate: { type: "string", default: "0" },
      vus: { type: "string", default: "20" },
      k6: { type: "string", default: "k6-2" },
      only: { type: "string" },
    },
  });
  const k6 = toolPath(values.k6);
  const prometheus = toolPath("prometheus-3");
  if (k6 === undefined || prometheus === undefined) {
    throw new Error(`needs ${values.k6} and prometheus-3; see "node scripts/tools.mjs list"`);
  }
  const folder = await mkdtemp(path.join(tmpdir(), "plimsoll-generator-"));
  /** @type {import("node:child_process").ChildProcess[]} */
  const servers = [];
  try {
    const targetUrl = await startTarget(servers);
    const storeUrl = await startPrometheus(prometheus, folder, servers);
    const ways = waysOf(k6, `${storeUrl}/api/v1/write`, folder);
    const names = Object.keys(ways).filter(
      (name) => values.only?.split(",").includes(name) ?? true,
    );
    /** @type {Map<string, Turn[]>} */
    const turns = new Map(names.map((name) => [name, []]));
    const env = {
      TARGET: targetUrl,
      VUS: values.vus,
      SECONDS: values.seconds,
      RATE: values.rate,
    };
    // The round before the first warms up: page cache, Prometheus, the server's code.
    for (let round = -1; round < Number(values.rounds); round++) {
      for (let at = 0; at < names.length; at++) {
        const name = names[(at + Math.max(0, round)) % names.length] ?? "";
        const way = ways[name];
        if (way === undefined) continue;
        const seconds = round < 0 ? "2" : values.seconds;
        const turn = await takeTurn(way, { ...env, SECONDS: seconds }, folder);
        if (round >= 0) turns.get(name)?.push(turn);
      }
    }
    const load = values.rate === "0" ? "as fast as it can" : `${values.rate} requests/s`;
    console.log(
      `${path.basename(k6)}, ${load}, ${values.vus} VUs, ${values.rounds} rounds of ${values.seconds} s`,
    );
    printTable(turns);
  } finally {
    for (const server of servers) {
      server.kill("SIGKILL");
      if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} k6
 * @param {string} writeUrl
 * @param {string} folder
 * @returns {Record<string, Way>}
 */
function waysOf(k6, writeUrl, folder) {
  const builtIn = { K6_PROMETHEUS_RW_SERVER_URL: writeUrl };
  const common = ["run", "--no-usage-report"];
  const alone = (/** @type {readonly string[]} */ ...args) => ({
    program: k6,
    args: [...common, "--quiet", ...args],
  });
  const to = ["--k6", k6, "--out", `prometheus-rw=${writeUrl}`, "--data-dir", folder];
  const plimsoll = (/** @type {readonly string[]} */ ...args) => ({
    program: process.execPath,
    args: [main, ...common, ...to, ...args],
  });
  return {
    none: alone(),
    "built-in": { ...alone("--out", "experimental-prometheus-rw"), env: builtIn },
    native: {
      ...alone("--out", "experimental-prometheus-rw"),
      env: { ...builtIn, K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM: "true" },
    },
    json: alone("--out", "json=/dev/null"),
    lines: plimsoll("--k6-samples", "lines"),
    buckets: plimsoll("--k6-samples", "buckets"),
  };
}

/**
 * Runs one way to its end.
 *
 * @param {Way} way
 * @param {Readonly<Record<string, string>>} scriptEnv
 * @param {string} folder
 * @returns {Promise<Turn>}
 * @throws when it fails: a way that loses samples has no figure
 */
async function takeTurn({ program, args, env }, scriptEnv, folder) {
  const summary = path.join(folder, "summary.json");
  const variables = Object.entries(scriptEnv).flatMap(([name, value]) => [
    "-e",
    `${name}=${value}`,
  ]);
  const before = reapedSeconds();
  const child = spawn(program, [...args, "--summary-export", summary, ...variables, script], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
    // As Plimsoll starts its k6: Linux shares processor time between sessions, and one that k6 has in common with the server
    // is worth a tenth of its processor time, and half of its requests on a busy machine.
    detached: true,
  });
  /** @type {Buffer[]} */
  const printed = [];
  child.stderr.on("data", (chunk) => printed.push(chunk));
  const isPlimsoll = program === process.execPath;
  let ownSeconds = 0;
  const watch = setInterval(() => {
    if (isPlimsoll && child.pid !== undefined) ownSeconds = secondsOf(child.pid) ?? ownSeconds;
  }, 50);
  await once(child, "close");
  clearInterval(watch);
  if (child.exitCode !== 0) {
    const text = Buffer.concat(printed).toString("utf8");
    throw new Error(`${program} ended with ${child.exitCode}:\n${text}`);
  }
  const seconds = reapedSeconds() - before;
  /** @type {{ metrics: { http_reqs: { count: number, rate: number } } }} */
  const { metrics } = JSON.parse(await readFile(summary, "utf8"));
  const { count: requests, rate } = metrics.http_reqs;
  return {
    requests,
    rate,
    cpuUs: (seconds / requests) * 1e6,
    k6Us: ((seconds - ownSeconds) / requests) * 1e6,
  };
}

/** Processor time of this process' children that have ended, and of theirs. */
function reapedSeconds() {
  const fields = statFields("self");
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/**
 * Processor time of a process without its children; undefined when it is gone.
 *
 * @param {number} pid
 */
function secondsOf(pid) {
  try {
    const fields = statFields(String(pid));
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    // It has just ended.
    return undefined;
  }
}

/**
 * The fields of proc(5)'s stat after the program's name, which may hold spaces: index 0 is field 3, the state.
 *
 * @param {string} pid
 */
function statFields(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** @param {ReadonlyMap<string, readonly Turn[]>} turns */
function printTable(turns) {
  const base = turns.get("built-in") ?? [];
  /** @type {Record<string, Record<string, string>>} */
  const rows = {};
  for (const [name, own] of turns) {
    // Of one round with the same round's, so that what disturbed both is in neither.
    const ratio = (/** @type {"rate" | "cpuUs"} */ key) =>
      spread(
        own.map((turn, at) => turn[key] / (base[at]?.[key] ?? NaN)),
        3,
      );
    rows[name] = {
      "requests/s": spread(
        own.map(({ rate }) => rate),
        0,
      ),
      "× built-in": ratio("rate"),
      "CPU µs/request": spread(
        own.map(({ cpuUs }) => cpuUs),
        1,
      ),
      "× built-in ": ratio("cpuUs"),
      "of it k6": spread(
        own.map(({ k6Us }) => k6Us),
        1,
      ),
    };
  }
  console.log("median (lowest to highest) of the rounds");
  console.table(rows);
  console.log("targets for plimsoll: requests/s ≥ 0.95 × built-in, CPU ≤ 1 × built-in");
}

/**
 * @param {readonly number[]} values
 * @param {number} digits
 */
function spread(values, digits) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  const [low, high] = [sorted[0] ?? NaN, sorted.at(-1) ?? NaN];
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/** @param {import("node:child_process").ChildProcess[]} servers */
async function startTarget(servers) {
  const child = spawn(process.execPath, [target], { stdio: ["ignore", "pipe", "inherit"] });
  servers.push(child);
  const [url] = await once(child.stdout, "data");
  return String(url).trim();
}

/**
 * @param {string} program
 * @param {string} folder
 * @param {import("node:child_process").ChildProcess[]} servers
 */
async function startPrometheus(program, folder, servers) {
  const config = path.join(folder, "prometheus.yml");
  await writeFile(config, "global: {}\n");
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-remote-write-receiver",
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  servers.push(child);
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!(await isReady(`${url}/-/ready`))) {
    if (child.exitCode !== null || Date.now() > deadlineMs)
      throw new Error(`${program} did not start`);
    await delay(50);
  }
  return url;
}

/** @param {string} url */
async function isReady(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    // Nothing listens yet.
    return false;
  }
}

/**
 * Starts what the demo runs: the stack (`plimsoll up`) on ports of its own, and `plimsoll run`.
 *
 * Each is in a process group of its own, so that Ctrl-C at the terminal reaches only the demo, which then ends them in
 * order. What they print goes to stderr: stdout is for the demo's result.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { projectFolder } from "./setup.mjs";
import { toolPath, tools, variableOf } from "./tools.mjs";

/** After this long without an end, a program is killed, in milliseconds. */
const stopTimeoutMs = 5_000;

/** What `plimsoll up` may take to end what it has begun, in milliseconds: Prometheus and Postgres write down what they have. */
const stackEndMs = 60_000;

/**
 * Where the demo's ports begin to be looked for, above the usual ones. All stay below 32768, where Linux begins to hand out
 * ports to whoever connects.
 */
const demoPortOffsets = Array.from({ length: 8 }, (_, index) => 9_000 + 1_000 * index);

const main = path.join(projectFolder, "dist", "cli", "main.js");

/**
 * @typedef {object} Stack
 * @property {string} storeUrl Prometheus.
 * @property {string} shopUrl
 * @property {string} version Prometheus'.
 * @property {readonly { name: string, note: string }[]} leftOut Services that this machine lacks, with what to install.
 * @property {string} downCommand Ends it by hand, and removes its data.
 * @property {() => Promise<void>} stop Ends it and removes its data.
 */

/**
 * @param {string} folder For its data.
 * @param {{ scrapeInterval: string, signal: AbortSignal, portOffsets?: readonly number[] }} options The first offset
 *   whose ports are free is taken.
 * @returns {Promise<Stack>}
 */
export async function startStack(
  folder,
  { scrapeInterval, signal, portOffsets = demoPortOffsets },
) {
  const dataDir = ["--data-dir", folder];
  const down = ["down", "--remove-data", ...dataDir];
  const downCommand = ["node", main, ...down].join(" ");
  const stop = async () => {
    // Whoever presses Ctrl-C waits for this end all the same: what runs on would be found by nobody.
    const { signal: never } = new AbortController();
    const { exitCode, stderr } = await runPlimsoll(down, stackOptions(folder, never));
    if (exitCode !== 0) {
      throw new Error(`the stack did not end; try again with "${downCommand}":\n${stderr}`);
    }
  };
  for (const portOffset of portOffsets) {
    const settings = ["--port-offset", String(portOffset), "--scrape-interval", scrapeInterval];
    const up = ["up", "--native", "--json", ...settings, ...dataDir];
    const { exitCode, stdout, stderr } = await runPlimsoll(up, stackOptions(folder, signal));
    // Another demo, or whatever else listens there; nothing was started.
    if (exitCode !== 0 && /\bport \d+, for .+ is taken by /.test(stderr)) continue;
    /** @type {{ services: readonly { name: string, state: string, address?: string, version?: string, note?: string }[] }} */
    const { services } = exitCode === 0 ? JSON.parse(stdout) : { services: [] };
    const named = (/** @type {string} */ name) => services.find((service) => service.name === name);
    const prometheus = named("prometheus");
    const shop = named("shop");
    if (signal.aborted || prometheus?.address === undefined || shop?.address === undefined) {
      await stop();
      signal.throwIfAborted();
      throw new Error(`the stack did not start; "plimsoll up" ended with ${exitCode}:\n${stderr}`);
    }
    return {
      storeUrl: `http://${prometheus.address}`,
      shopUrl: `http://${shop.address}`,
      version: prometheus.version ?? "unknown",
      leftOut: services
        .filter(({ state }) => state === "left out")
        .map(({ name, note = "" }) => ({ name, note })),
      downCommand,
      stop,
    };
  }
  throw new Error("no free ports for the stack; end another one");
}

/**
 * @param {string} folder
 * @param {AbortSignal} signal
 */
function stackOptions(folder, signal) {
  return { cwd: folder, env: stackEnvironment(), signal, quiet: true, patienceMs: stackEndMs };
}

/** Where our tools are: the cache that `scripts/tools.mjs` fills is known to our scripts alone. */
function stackEnvironment() {
  const found = tools.flatMap(({ name }) => {
    const program = toolPath(name);
    return program === undefined ? [] : [[variableOf(name), program]];
  });
  return { ...process.env, ...Object.fromEntries(found) };
}

/**
 * Runs `plimsoll` to its end. An abort asks it to end, and after some patience to leave at once.
 *
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, signal: AbortSignal, quiet?: boolean, patienceMs?: number }} options
 *   Quiet: what it prints is kept, and not shown. Patience: 200 ms by default.
 * @returns {Promise<{ exitCode: number | null, stdout: string, stderr: string }>} No exit code: a signal ended it.
 */
export async function runPlimsoll(args, { cwd, env, signal, quiet = false, patienceMs = 200 }) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env,
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", 2, 2],
    detached: true,
  });
  const printed = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => (printed.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text) => (printed.stderr += text));
  const exited = once(child, "close");
  const stop = async () => {
    // The first asks a run to deliver what it has; the demo does not wait for that.
    child.kill("SIGINT");
    await Promise.race([exited, delay(patienceMs, undefined, { ref: false })]);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  };
  let stopped = Promise.resolve();
  const onAbort = () => {
    stopped = stop();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  await exited;
  signal.removeEventListener("abort", onAbort);
  await stopped;
  return { exitCode: child.exitCode, ...printed };
}

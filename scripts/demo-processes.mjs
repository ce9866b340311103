/**
 * Starts what the demo runs: Prometheus, the shop, `plimsoll run`. All listen on free loopback ports.
 *
 * Each is in a process group of its own, so that Ctrl-C at the terminal reaches only the demo, which then ends them in
 * order. What they print goes to stderr or nowhere: stdout is for the demo's result.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { projectFolder } from "./setup.mjs";

/** How long a program may take to listen, in milliseconds. A cold disk needs a few seconds. */
const startTimeoutMs = 30_000;

/** After this long without an end, a program is killed, in milliseconds. */
const stopTimeoutMs = 5_000;

/**
 * @typedef {object} Started
 * @property {number} pid
 * @property {string} url Without a slash at its end.
 * @property {() => Promise<void>} stop
 * @property {() => void} leave Lets it run when we are gone.
 */

/**
 * @param {string} folder For its configuration and data.
 * @param {string} program
 * @param {string} shopUrl Scraped each second, as job `shop`.
 * @returns {Promise<Started>}
 */
export async function startPrometheus(folder, program, shopUrl) {
  const config = path.join(folder, "prometheus.yml");
  // JSON is YAML.
  const scrape = {
    job_name: "shop",
    scrape_interval: "1s",
    scrape_timeout: "1s",
    static_configs: [{ targets: [new URL(shopUrl).host] }],
  };
  await writeFile(config, JSON.stringify({ scrape_configs: [scrape] }));
  const started = await start(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      "--web.enable-remote-write-receiver",
      // Prometheus 3 has them always, and says so in its log.
      "--enable-feature=native-histograms",
    ],
    "stderr",
    (line) => /msg="Listening on".* address=(\S+)/.exec(line)?.[1],
  );
  const url = `http://${started.found}`;
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while (!(await fetch(`${url}/-/ready`, { signal: deadline }).catch(() => undefined))?.ok) {
    deadline.throwIfAborted();
    await delay(50);
  }
  return { ...started, url };
}

/** @returns {Promise<Started>} */
export async function startShop() {
  const server = path.join(projectFolder, "examples", "shop", "server.mjs");
  const started = await start(process.execPath, [server, "--port", "0"], "stdout", (line) => {
    /** @type {{ url: string }} */
    const { url } = JSON.parse(line);
    return url;
  });
  return { ...started, url: started.found };
}

/**
 * Runs `plimsoll` to its end. An abort ends it at once.
 *
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, signal: AbortSignal }} options
 * @returns {Promise<number | null>} Its exit code; null where a signal ended it.
 */
export async function runPlimsoll(args, { cwd, env, signal }) {
  const main = path.join(projectFolder, "dist", "cli", "main.js");
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env,
    stdio: ["ignore", 2, 2],
    detached: true,
  });
  const exited = once(child, "exit");
  const stop = async () => {
    // The first asks it to end its run and to deliver what it has; we do not wait for that.
    child.kill("SIGINT");
    await delay(200);
    child.kill("SIGINT");
    await killIfSlow(child, exited);
  };
  let stopped = Promise.resolve();
  const onAbort = () => {
    stopped = stop();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  await exited;
  signal.removeEventListener("abort", onAbort);
  await stopped;
  return child.exitCode;
}

/**
 * Resolves when the program has printed a line in which `find` finds something.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {"stdout" | "stderr"} output Where it prints that line.
 * @param {(line: string) => string | undefined} find
 */
async function start(program, args, output, find) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const exited = once(child, "exit");
  const other = output === "stdout" ? child.stderr : child.stdout;
  other.resume();
  /** @type {string[]} */
  const printed = [];
  const found = new Promise((/** @type {(text: string) => void} */ resolve) => {
    createInterface({ input: child[output] }).on("line", (line) => {
      printed.push(line);
      // Enough to see why it did not start; a program that runs on must not fill our memory.
      if (printed.length > 20) printed.shift();
      const text = find(line);
      if (text !== undefined) resolve(text);
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await killIfSlow(child, exited);
  };
  const text = await Promise.race([
    found,
    exited.catch(() => undefined).then(() => undefined),
    delay(startTimeoutMs, undefined, { ref: false }),
  ]);
  // Undefined where it did not start, ended, or was too slow.
  if (text === undefined || child.pid === undefined) {
    if (child.pid !== undefined) await stop();
    throw new Error(`${program} does not start:\n${printed.join("\n")}`);
  }
  const leave = () => {
    child.unref();
    child.stdout.destroy();
    child.stderr.destroy();
  };
  return { pid: child.pid, found: text, stop, leave };
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {Promise<unknown>} exited
 */
async function killIfSlow(child, exited) {
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  if (child.exitCode === null && child.signalCode === null) await exited;
  clearTimeout(timer);
}

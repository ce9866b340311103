/**
 * A Docker engine of our own for the time of a test run: its data in a temporary folder, gone with it.
 *
 * The engine is the one on PATH, else that of Debian's packages, unpacked into the cache: installing them would start
 * a service. It needs root, and that no other engine runs, because two hand out the same addresses; and the images
 * that it loads have the names of real ones, which belong into nobody else's engine.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ScriptError, run } from "./run.mjs";
import { cacheFolder } from "./tools.mjs";

const startTimeoutMs = 30_000;

/** With containers that have to be stopped first. */
const stopTimeoutMs = 60_000;

/**
 * @typedef {object} Engine
 * @property {string} host For `DOCKER_HOST`.
 * @property {(folder: string) => Promise<void>} load Loads the images that `writeImages` has written there.
 * @property {() => Promise<void>} stop Ends it, with its containers, and removes all that it has stored.
 */

/**
 * @param {(line: string) => void} log
 * @returns {Promise<Engine>}
 * @throws {ScriptError} that says why there can be none here
 */
export async function startEngine(log) {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new ScriptError("a Docker engine of our own needs Linux and root");
  }
  const running = readdirSync("/proc").find(
    (pid) => /^\d+$/.test(pid) && nameOf(pid) === "dockerd",
  );
  if (running !== undefined) {
    throw new ScriptError(
      `a Docker engine runs here already (process ${running}); stop it for the time`,
    );
  }
  const env = await engineEnvironment(log);
  const folder = mkdtempSync(path.join(tmpdir(), "plimsoll-engine-"));
  const socket = path.join(folder, "socket");
  const links = new Set(networkLinks());
  const dockerd = [
    "dockerd",
    `--data-root=${path.join(folder, "data")}`,
    `--exec-root=${path.join(folder, "exec")}`,
    `--pidfile=${path.join(folder, "pid")}`,
    `--host=unix://${socket}`,
    "--storage-driver=overlay2",
  ];
  // It ends with us, however we end; and its mounts, of which it makes many, are gone with it. Shared, because the root
  // folder that a container binds has to be.
  const wrapper = ["--pdeathsig=TERM", "unshare", "--mount", "--propagation=shared"];
  // A group of its own: Ctrl-C ends the tests first, and they need it to clean up.
  const child = spawn("setpriv", [...wrapper, ...dockerd], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  /** @type {string[]} */
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => printed.push(text));
  }
  let ended = false;
  const end = once(child, "exit")
    .catch(() => undefined)
    .then(() => (ended = true));

  const stop = async () => {
    if (!ended) {
      child.kill("SIGTERM");
      await Promise.race([end, delay(stopTimeoutMs, undefined, { ref: false })]);
      if (!ended) child.kill("SIGKILL");
      await end;
    }
    // Its own bridge outlives it, and those of networks that nobody has removed.
    for (const link of networkLinks())
      if (!links.has(link)) spawnSync("ip", ["link", "delete", link]);
    rmSync(folder, { recursive: true, force: true });
  };
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!(await answers(socket))) {
    if (ended || Date.now() > deadlineMs) {
      await stop();
      throw new ScriptError(`dockerd did not start:\n${printed.join("").slice(-4_000)}`);
    }
    await delay(100);
  }
  return { host: `unix://${socket}`, load: (images) => loadImages(socket, images), stop };
}

function networkLinks() {
  return readdirSync("/sys/class/net").filter((name) => /^(docker0|br-)/.test(name));
}

/** @param {string} pid */
function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    // It ended while we looked.
    return "";
  }
}

/** @param {string} socket */
function answers(socket) {
  return new Promise((resolve) => {
    request({ socketPath: socket, path: "/_ping" }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", () => resolve(false))
      .end();
  });
}

/**
 * @param {string} socket
 * @param {string} folder
 * @returns {Promise<void>}
 */
async function loadImages(socket, folder) {
  // -h: the layer of the cache is a link.
  const tar = spawn("tar", ["-h", "-C", folder, "-cf", "-", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {string} */
  const answer = await new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/x-tar" };
    const load = request({
      socketPath: socket,
      path: "/images/load?quiet=1",
      method: "POST",
      headers,
    });
    load.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    tar.stdout.pipe(load);
  });
  // A line of JSON for each image, with status 200 also where one could not be loaded.
  const failed =
    /"error":"[^"]*"/.exec(answer) ?? (answer.includes("Loaded image") ? null : [answer]);
  if (failed) throw new ScriptError(`the engine did not load the images: ${failed[0]}`);
}

/**
 * The environment in which `dockerd` and what it starts are found.
 *
 * @param {(line: string) => void} log
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
async function engineEnvironment(log) {
  if (isOnPath("dockerd") && isOnPath("iptables")) return process.env;
  const tree = path.join(cacheFolder(), "containers", "engine-debian");
  if (!existsSync(tree)) await unpackEngine(tree, log);
  const at = (/** @type {string} */ folder) => path.join(tree, folder);
  const libraries = readdirSync(at("usr/lib")).filter((name) => name.endsWith("-linux-gnu"));
  return {
    ...process.env,
    PATH: [at("usr/sbin"), at("usr/bin"), process.env["PATH"]].join(path.delimiter),
    LD_LIBRARY_PATH: libraries.map((name) => at(`usr/lib/${name}`)).join(path.delimiter),
    XTABLES_LIBDIR: libraries.map((name) => at(`usr/lib/${name}/xtables`)).join(path.delimiter),
  };
}

/**
 * @param {string} tree
 * @param {(line: string) => void} log
 */
async function unpackEngine(tree, log) {
  if (!isOnPath("apt-get"))
    throw new ScriptError("no dockerd on PATH, and no apt-get to fetch it with");
  log("docker.io: fetching Debian's packages");
  const partial = `${tree}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(path.join(partial, "archives/partial"), { recursive: true });
  const values = {
    "APT::Sandbox::User": "root",
    "DPkg::Lock::Timeout": "300",
    "Dir::Cache::archives": path.join(partial, "archives"),
  };
  const options = Object.entries(values).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", ["-q", "update"]);
  // What this machine has already, its libraries above all, is not fetched again.
  const install = ["install", "--download-only", "--no-install-recommends", "-q", "-y"];
  await run("apt-get", [...options, ...install, "docker.io", "iptables"]);
  const unpack = 'for deb in archives/*.deb; do dpkg-deb --extract "$deb" unpacked; done';
  await run("sh", ["-euc", unpack], { cwd: partial });
  const unpacked = path.join(partial, "unpacked");
  // Debian makes this link when the package is installed.
  const iptables = path.join(unpacked, "usr/sbin/iptables");
  if (!existsSync(iptables)) symlinkSync("xtables-nft-multi", iptables);
  renameSync(unpacked, tree);
  rmSync(partial, { recursive: true });
}

/** @param {string} program */
function isOnPath(program) {
  return (process.env["PATH"] ?? "").split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this one.
      return false;
    }
  });
}

/**
 * Puts one tool into the cache: built from its Go module, or taken out of its Debian package.
 *
 * In:  a row of the table in `tools.mjs` and the file to make.
 * Out: that file, complete and tried, or none: it is made beside its place and renamed into it.
 *
 * Debian's packages are unpacked, not installed: that needs no root, starts no service on port 9090 and leaves
 * nothing on the machine outside the cache. Chromium and strace need others, and are the exception.
 */
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ScriptError, run, versionText } from "./run.mjs";

/**
 * @import { DebianPackage, DebianPackages, GoBuild, Tool } from "./tools.mjs"
 */

/** Longer than any build; a lock this old is a dead process's whose id went to another. */
const lockLimitMs = 30 * 60_000;

/**
 * @param {Tool} tool
 * @param {string} target Absolute path of the program to make.
 * @param {(line: string) => void} log
 * @returns {Promise<void>}
 * @throws {ScriptError} that says what is missing on this machine
 */
export async function installTool(tool, target, log) {
  mkdirSync(path.dirname(target), { recursive: true });
  await withLock(path.join(path.dirname(target), ".lock"), log, async () => {
    // Whoever held the lock before may have made it.
    if (statSync(target, { throwIfNoEntry: false })) return;
    const startedMs = performance.now();
    // An installation that was killed leaves its folder behind.
    const leftovers = readdirSync(path.dirname(target)).filter((name) =>
      name.includes(".partial-"),
    );
    for (const name of leftovers)
      rmSync(path.join(path.dirname(target), name), { recursive: true });
    const folder = mkdtempSync(`${target}.partial-`);
    try {
      const { how } = tool;
      const program =
        how.kind === "go"
          ? await buildGo(tool.name, how, folder, log)
          : how.kind === "apt"
            ? await installDebian(how, folder, log)
            : await unpackDebian(how, folder, log);
      const text = versionText(program);
      if (text === undefined || !tool.accepts.test(text)) {
        const got =
          text === undefined ? "does not run here" : `says ${JSON.stringify(text.trim())}`;
        throw new ScriptError(
          `${JSON.stringify(tool.how.package)} ${got}; expected ${tool.version}`,
        );
      }
      renameSync(program, target);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    log(`${tool.name}: installed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  });
}

/**
 * @param {string} name
 * @param {GoBuild} how
 * @param {string} folder
 * @param {(line: string) => void} log
 * @returns {Promise<string>}
 */
async function buildGo(name, how, folder, log) {
  const module = new URL(`./tools/${how.module ?? name}/`, import.meta.url);
  // A static program, and only our go.mod decides what is in it.
  const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
  // Reads go.mod and nothing else, so it fails where Go is too old for it and may not fetch a newer one.
  const go = spawnSync("go", ["list", "-m"], { cwd: module, env, encoding: "utf8" });
  if (go.status !== 0) {
    const needed = /^go (.+)$/m.exec(readFileSync(new URL("go.mod", module), "utf8"))?.[1];
    const found = go.error ? "none on PATH" : go.stderr.trim();
    throw new ScriptError(
      `needs Go ${needed} or newer (${found}); install it from https://go.dev/dl/`,
    );
  }
  log(`${name}: building ${how.package} with Go; a few minutes the first time`);
  const program = path.join(folder, name);
  // -mod=readonly: a module that is not in our go.sum stops the build, whatever GOFLAGS says.
  const flags = ["-mod=readonly", "-trimpath", ...how.flags];
  await run("go", ["build", ...flags, "-o", program, how.package], { cwd: module, env });
  return program;
}

/**
 * @param {DebianPackage} how
 * @param {string} folder
 * @param {(line: string) => void} log
 * @returns {Promise<string>}
 */
async function unpackDebian(how, folder, log) {
  if (spawnSync("apt-get", ["--version"]).error || spawnSync("dpkg-deb", ["--version"]).error) {
    throw new ScriptError(
      `no apt-get here to fetch Debian's package ${JSON.stringify(how.package)} with`,
    );
  }
  log(`${how.package}: fetching Debian's package`);
  // Root's downloads run as root: the user _apt may not write into our folder, and apt warns of that.
  const options = ["-q", "-o", "APT::Sandbox::User=root", ...suiteOptions(how.suite, folder)];
  const download = [...options, "download", how.package];
  try {
    if (how.suite !== undefined) await run("apt-get", [...options, "update"]);
    await run("apt-get", download, { cwd: folder });
  } catch (error) {
    // A fresh machine has no package lists yet, and old lists name packages that are gone.
    if (process.getuid?.() !== 0) {
      throw new ScriptError('apt-get could not fetch it; run "sudo apt-get update" and try again', {
        cause: error,
      });
    }
    await run("apt-get", [...options, "update"]);
    await run("apt-get", download, { cwd: folder });
  }
  await run("sh", ["-c", "dpkg-deb --extract ./*.deb ."], { cwd: folder });
  return path.join(folder, how.program);
}

/**
 * What makes apt read one release of Debian, with lists of its own, and nothing else that this machine is set to.
 *
 * @param {string | undefined} suite
 * @param {string} folder For the lists.
 * @returns {string[]}
 */
function suiteOptions(suite, folder) {
  if (suite === undefined) return [];
  // The mirror that this machine is set to has the other releases, too.
  const format = "$(REPO_URI) $(COMPONENT)";
  const { stdout } = spawnSync("apt-get", ["indextargets", "--format", format], {
    encoding: "utf8",
  });
  const mirror = /^(\S+\/debian\/?) main$/m.exec(stdout ?? "")?.[1];
  if (mirror === undefined) {
    throw new ScriptError(`apt knows no mirror of Debian to fetch from ${suite}`);
  }
  const sources = path.join(folder, "suite.sources");
  const lists = path.join(folder, "lists");
  mkdirSync(lists);
  writeFileSync(
    sources,
    [
      "Types: deb",
      `URIs: ${mirror}`,
      `Suites: ${suite}`,
      "Components: main",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
    ].join("\n"),
  );
  const values = {
    "Dir::Etc::SourceList": sources,
    "Dir::Etc::SourceParts": "-",
    "Dir::State::Lists": lists,
    "Dir::Cache": folder,
  };
  return Object.entries(values).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/**
 * A browser does not run from an unpacked file alone: this one way leaves something on the machine, and needs root.
 *
 * @param {DebianPackages} how
 * @param {string} folder
 * @param {(line: string) => void} log
 * @returns {Promise<string>} A link to the program.
 */
async function installDebian(how, folder, log) {
  const names = how.package.split(" ");
  const install = ["install", "-q", "-y", "--no-install-recommends", ...names];
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).error) {
    throw new ScriptError(`run "sudo apt-get ${install.join(" ")}" where there is apt-get`);
  }
  log(`${how.package}: installing Debian's packages`);
  await run("apt-get", ["-q", "update"]);
  await run("apt-get", install, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  const link = path.join(folder, path.basename(how.program));
  symlinkSync(how.program, link);
  return link;
}

/**
 * Runs `task` while no other process that asks for the same file runs one: two clones on one machine share the
 * cache and would otherwise build the same thing twice. Two that take over an abandoned lock in the same instant may
 * both run; that costs a build, and nothing half made is ever in the cache.
 *
 * @param {string} file
 * @param {(line: string) => void} log
 * @param {() => Promise<void>} task
 * @returns {Promise<void>}
 */
async function withLock(file, log, task) {
  let waiting = false;
  while (!takeLock(file)) {
    if (!waiting) log(`waiting for the installation that holds ${file}`);
    waiting = true;
    await delay(500);
  }
  try {
    await task();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * @param {string} file
 * @returns {boolean} False where a living process holds it.
 */
function takeLock(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  if (!isAbandoned(file)) return false;
  rmSync(file, { force: true });
  return takeLock(file);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isAbandoned(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > lockLimitMs) return true;
    const pid = Number(readFileSync(file, "utf8"));
    // Empty for the instant between its creation and its content.
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    // ENOENT: it was given back meanwhile. EPERM: another user's process holds it.
    return codeOf(error) === "ESRCH";
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

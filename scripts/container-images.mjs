/**
 * Stand-ins for the images of docker-compose.yml, for machines that reach no image registry.
 *
 * In:  the names that docker-compose.yml gives the images; Debian's packages and the tools of `tools.mjs`.
 * Out: one archive of them all, as `docker save` would write it, for the engine to load.
 *
 * They have the programs, paths, users and ports of the real ones, as far as docker-compose.yml makes use of them, and
 * older versions of some. All share one layer of Debian's packages, which is kept in the cache; the others are made of
 * what is in the clone. There is none for Grafana and for what the profiles bring, but for k6.
 *
 * Source of the format: https://github.com/moby/docker-image-spec/blob/main/spec.md
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { ScriptError, run } from "./run.mjs";
import { projectFolder } from "./setup.mjs";
import { cacheFolder, toolPath } from "./tools.mjs";

/**
 * @typedef {object} StandIn
 * @property {readonly Layer[]} layers From the bottom.
 * @property {object} config As in the specification, e.g. `Entrypoint`.
 *
 * @typedef {(tree: string) => void} Layer Puts its files into an empty folder, which becomes the image's root.
 */

/** Bump it when `fillDebian` changes. */
const debianRevision = 1;

const debianPackages =
  "base-files busybox libstdc++6 netbase pgbouncer postgresql prometheus-node-exporter".split(" ");

/** Users, with the ids that they have in the real images. */
const node = 1000;
const nobody = 65534;
const postgres = 999;

const standardPath = "/usr/local/bin:/usr/bin:/usr/sbin";

/** By the services of docker-compose.yml. @type {Readonly<Record<string, StandIn>>} */
const standIns = {
  prometheus: {
    layers: [
      (tree) => {
        addProgram(tree, "prometheus-3", "bin/prometheus");
        addFolder(tree, "prometheus", nobody);
      },
    ],
    config: { Entrypoint: ["/bin/prometheus"], User: "nobody", WorkingDir: "/prometheus" },
  },
  "node-exporter": {
    layers: [],
    config: { Entrypoint: ["/usr/bin/prometheus-node-exporter"], User: "nobody" },
  },
  postgres: {
    layers: [
      (tree) => {
        addScript(tree, "postgres-entrypoint.sh");
        addFolder(tree, "var/lib/postgresql/data", postgres, 0o700);
        addFolder(tree, "run/postgresql", postgres);
      },
    ],
    config: {
      Entrypoint: ["/usr/local/bin/postgres-entrypoint.sh"],
      Env: [`PATH=/usr/local/pgsql/bin:${standardPath}`],
      User: "postgres",
      StopSignal: "SIGINT",
    },
  },
  pgbouncer: {
    layers: [(tree) => addScript(tree, "pgbouncer-entrypoint.sh")],
    config: {
      Entrypoint: ["/usr/local/bin/pgbouncer-entrypoint.sh"],
      Env: [`PATH=/usr/local/pgsql/bin:${standardPath}`],
      User: "postgres",
    },
  },
  "postgres-exporter": {
    layers: [(tree) => addProgram(tree, "postgres-exporter", "bin/postgres_exporter")],
    config: { Entrypoint: ["/bin/postgres_exporter"], User: "nobody" },
  },
  "pgbouncer-exporter": {
    layers: [(tree) => addProgram(tree, "pgbouncer-exporter", "bin/pgbouncer_exporter")],
    config: { Entrypoint: ["/bin/pgbouncer_exporter"], User: "nobody" },
  },
  shop: {
    layers: [
      fillNode,
      (tree) => {
        addFile(tree, path.join(projectFolder, "examples/shop"), "app/examples/shop");
        addFolder(tree, "data", node);
      },
    ],
    config: {
      Entrypoint: ["node", "examples/shop/server.mjs"],
      Env: [`PATH=${standardPath}`],
      User: "node",
      WorkingDir: "/app",
    },
  },
  load: {
    layers: [
      fillNode,
      (tree) => {
        addFile(tree, path.join(projectFolder, "dist"), "app/dist");
        addFile(tree, path.join(projectFolder, "package.json"), "app/package.json");
        addProgram(tree, "k6-2", "usr/bin/k6");
        addFolder(tree, "home/node/.local/share/plimsoll", node);
      },
    ],
    config: {
      Entrypoint: ["node", "/app/dist/cli/main.js"],
      Env: [`PATH=${standardPath}`, "HOME=/home/node"],
      User: "node",
    },
  },
};

/**
 * Writes the archive of the stand-ins as files into an empty folder; packed with tar, it is what an engine loads.
 *
 * @param {Readonly<Record<string, string>>} names Service to image, e.g. `{ postgres: "postgres:17.10" }`.
 * @param {string} folder
 * @param {(line: string) => void} log
 * @returns {Promise<void>}
 * @throws {ScriptError} where a program of theirs is missing
 */
export async function writeImages(names, folder, log) {
  const debian = await debianLayer(folder, log);
  /** @type {Map<Layer, string>} */
  const made = new Map();
  const manifest = [];
  for (const [service, { layers, config }] of Object.entries(standIns)) {
    const digests = [debian];
    for (const layer of layers) {
      const digest = made.get(layer) ?? (await makeLayer(layer, folder));
      made.set(layer, digest);
      digests.push(digest);
    }
    const image = JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: digests.map((digest) => `sha256:${digest}`) },
    });
    const file = `${createHash("sha256").update(image).digest("hex")}.json`;
    writeFileSync(path.join(folder, file), image);
    manifest.push({
      Config: file,
      RepoTags: [names[service]],
      Layers: digests.map((digest) => `${digest}.tar`),
    });
  }
  writeFileSync(path.join(folder, "manifest.json"), JSON.stringify(manifest));
}

/**
 * @param {Layer} fill
 * @param {string} folder Gets `DIGEST.tar`.
 * @returns {Promise<string>} The digest.
 */
async function makeLayer(fill, folder) {
  const tree = mkdtempSync(path.join(folder, "tree-"));
  try {
    chmodSync(tree, 0o755);
    fill(tree);
    return await packTree(tree, folder);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/**
 * @param {string} tree
 * @param {string} folder
 */
async function packTree(tree, folder) {
  const file = `${tree}.tar`;
  await run("tar", ["--numeric-owner", "--sort=name", "--mtime=@0", "-C", tree, "-cf", file, "."]);
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const digest = hash.digest("hex");
  renameSync(file, path.join(folder, `${digest}.tar`));
  return digest;
}

/**
 * The layer below all others, from the cache.
 *
 * @param {string} folder
 * @param {(line: string) => void} log
 * @returns {Promise<string>} The digest.
 */
async function debianLayer(folder, log) {
  const cache = path.join(cacheFolder(), "containers");
  const name = `debian-${debianRevision}-${process.arch}`;
  const cached = path.join(cache, name);
  if (!existsSync(cached)) {
    log(`${name}: fetching Debian's packages for the stand-ins`);
    mkdirSync(cache, { recursive: true });
    const partial = mkdtempSync(path.join(cache, "partial-"));
    try {
      const tree = path.join(partial, "tree");
      mkdirSync(tree);
      await fillDebian(tree, partial);
      const digest = await packTree(tree, partial);
      rmSync(tree, { recursive: true });
      const layer = path.join(partial, "layer");
      mkdirSync(layer);
      renameSync(path.join(partial, `${digest}.tar`), path.join(layer, `${digest}.tar`));
      // Two at once both make it, and the second finds the first's in its place.
      if (!existsSync(cached)) renameSync(layer, cached);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const [file = ""] = readdirSync(cached);
  symlinkSync(path.join(cached, file), path.join(folder, file));
  return path.basename(file, ".tar");
}

/**
 * Debian's packages with all that they depend on, unpacked: nothing of them is run here.
 *
 * @param {string} tree
 * @param {string} folder For what is downloaded.
 */
async function fillDebian(tree, folder) {
  const status = path.join(folder, "status");
  writeFileSync(status, "");
  const archives = path.join(folder, "archives");
  mkdirSync(path.join(archives, "partial"), { recursive: true });
  const values = {
    "APT::Sandbox::User": "root",
    "DPkg::Lock::Timeout": "300",
    // As on a machine that has no package yet, so that every dependency comes.
    "Dir::State::status": status,
    "Dir::Cache::archives": archives,
    "Debug::NoLocking": "1",
  };
  const options = Object.entries(values).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", ["-q", "update"]);
  const install = ["install", "--download-only", "--no-install-recommends", "-q", "-y"];
  await run("apt-get", [...options, ...install, ...debianPackages]);
  // The folders that have moved into /usr are links there before anything is unpacked into them.
  for (const name of ["bin", "lib", "lib64", "sbin"]) {
    mkdirSync(path.join(tree, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, path.join(tree, name));
  }
  for (const name of readdirSync(archives).filter((file) => file.endsWith(".deb"))) {
    // dpkg-deb would put a folder in the place of such a link; tar is told not to.
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"';
    await run("sh", ["-c", unpack, "sh", path.join(archives, name), tree]);
  }
  for (const name of ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl"]) {
    rmSync(path.join(tree, name), { recursive: true, force: true });
  }
  const applets = spawnSync(path.join(tree, "usr/bin/busybox"), ["--list"], { encoding: "utf8" });
  for (const applet of applets.stdout.trim().split("\n")) {
    const link = path.join(tree, "usr/bin", applet);
    if (applet !== "busybox" && !existsSync(link)) symlinkSync("busybox", link);
  }
  writeFileSync(
    path.join(tree, "etc/passwd"),
    [
      "root:x:0:0:root:/root:/bin/sh",
      `postgres:x:${postgres}:${postgres}::/var/lib/postgresql:/bin/sh`,
      `node:x:${node}:${node}::/home/node:/bin/sh`,
      `nobody:x:${nobody}:${nobody}::/nonexistent:/bin/sh`,
      "",
    ].join("\n"),
  );
  writeFileSync(
    path.join(tree, "etc/group"),
    `root:x:0:\npostgres:x:${postgres}:\nnode:x:${node}:\nnogroup:x:${nobody}:\n`,
  );
  writeFileSync(path.join(tree, "etc/nsswitch.conf"), "hosts: files dns\n");
  mkdirSync(path.join(tree, "tmp"), { recursive: true });
  chmodSync(path.join(tree, "tmp"), 0o1777);
  // Debian keeps each version's programs in a folder of its own, and only wrappers on PATH.
  const [version = ""] = readdirSync(path.join(tree, "usr/lib/postgresql"));
  mkdirSync(path.join(tree, "usr/local"), { recursive: true });
  symlinkSync(`/usr/lib/postgresql/${version}`, path.join(tree, "usr/local/pgsql"));
  rmSync(path.join(tree, "var/run"), { recursive: true, force: true });
  symlinkSync("/run", path.join(tree, "var/run"));
}

/** Node itself, and what the project depends on at run time. @param {string} tree */
function fillNode(tree) {
  addFile(tree, realpathSync(process.execPath), "usr/local/bin/node");
  const list = spawnSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    cwd: projectFolder,
    encoding: "utf8",
  });
  for (const folder of list.stdout.trim().split("\n").slice(1)) {
    addFile(tree, folder, path.join("app", path.relative(projectFolder, folder)));
  }
}

/**
 * @param {string} tree
 * @param {string} source A file, or a folder with all that is in it.
 * @param {string} target Relative to the tree.
 */
function addFile(tree, source, target) {
  cpSync(source, path.join(tree, target), { recursive: true });
}

/**
 * @param {string} tree
 * @param {string} tool
 * @param {string} target
 */
function addProgram(tree, tool, target) {
  const program = toolPath(tool);
  if (program === undefined) {
    throw new ScriptError(`no ${tool} here; run "node scripts/tools.mjs install ${tool}"`);
  }
  addFile(tree, realpathSync(program), target);
}

/**
 * @param {string} tree
 * @param {string} name In `scripts/containers/`.
 */
function addScript(tree, name) {
  const script = fileURLToPath(new URL(`containers/${name}`, import.meta.url));
  addFile(tree, script, path.join("usr/local/bin", name));
}

/**
 * An empty folder that belongs to the image's user; a new volume takes over owner and mode.
 *
 * @param {string} tree
 * @param {string} target
 * @param {number} owner
 * @param {number} [mode]
 */
function addFolder(tree, target, owner, mode = 0o755) {
  const folder = path.join(tree, target);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, mode);
  chownSync(folder, owner, owner);
}

/**
 * The programs that the tests and the demo run for real, and where they are on this machine.
 *
 *   node scripts/tools.mjs install [NAME…]   installs what is missing, of these or of all
 *   node scripts/tools.mjs list              a line per tool: name, version, path or "missing"
 *
 * A tool is looked for in its variable (`PLIMSOLL_TOOL_K6_2=/path/to/k6`), then in the cache outside the clone that
 * `install-tool.mjs` fills, then on PATH, where any program of the right version serves.
 */
import { accessSync, constants, realpathSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { installTool } from "./install-tool.mjs";
import { ScriptError, fail, versionText } from "./run.mjs";

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} version The one that is built; of Debian's packages, those that serve.
 * @property {RegExp} accepts Matches what `--version` of a program that serves prints.
 * @property {readonly string[]} programs Its names on PATH.
 * @property {GoBuild | DebianPackage | DebianPackages} how
 *
 * @typedef {object} GoBuild Built in `scripts/tools/NAME/`, whose go.mod has the version.
 * @property {"go"} kind
 * @property {string} [module] The folder's name, where it is not the tool's.
 * @property {string} package
 * @property {readonly string[]} flags
 * @property {string} [variant] Part of the file's name in the cache, so that one built with other flags is not taken.
 *
 * @typedef {object} DebianPackage One program of Debian's package, in the version that this Debian has.
 * @property {"debian"} kind
 * @property {string} [suite] The release to take it from, where it is not this machine's.
 * @property {string} package
 * @property {string} program Its path inside the package.
 *
 * @typedef {object} DebianPackages Installed with all that they need, by root.
 * @property {"apt"} kind
 * @property {string} package Names, separated by spaces.
 * @property {string} program Its path once they are installed.
 *
 * @typedef {object} ToolReport
 * @property {Tool} tool
 * @property {string | undefined} path
 * @property {string} [missing] Where there is no path: why, and what to do.
 */

const prometheus3Flags = [
  // Prometheus 3.15.0 is Go module v0.315.0; its own build sets the version this way.
  "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.15.0",
  // Without the service discoveries, and with them half of its dependencies. Compose's services are found by DNS.
  "-tags=remove_all_sd,enable_dns_sd",
];

/** @type {readonly Tool[]} */
export const tools = [
  {
    name: "k6-2",
    version: "2.2.0",
    accepts: /\bv2\.\d+\.\d+/,
    programs: ["k6"],
    how: { kind: "go", package: "go.k6.io/k6/v2", flags: ["-ldflags=-s -w"] },
  },
  {
    name: "k6-1",
    version: "1.8.1",
    accepts: /\bv1\.\d+\.\d+/,
    programs: ["k6"],
    how: { kind: "go", package: "go.k6.io/k6", flags: ["-ldflags=-s -w"] },
  },
  {
    // The last whose local runs use the older cloud API.
    name: "k6-2-1",
    version: "2.1.0",
    accepts: /\bv2\.1\.\d+/,
    programs: ["k6"],
    how: { kind: "go", package: "go.k6.io/k6/v2", flags: ["-ldflags=-s -w"] },
  },
  {
    name: "prometheus-2",
    version: "2.42 or a later 2.x",
    accepts: /version 2\.(4[2-9]|[5-9]\d)\./,
    programs: ["prometheus"],
    how: { kind: "debian", package: "prometheus", program: "usr/bin/prometheus" },
  },
  {
    name: "prometheus-3",
    version: "3.15.0",
    accepts: /version 3\.\d+\.\d+/,
    programs: ["prometheus"],
    how: {
      kind: "go",
      package: "github.com/prometheus/prometheus/cmd/prometheus",
      flags: prometheus3Flags,
      variant: "-dns",
    },
  },
  {
    name: "victoria-metrics",
    version: "any version",
    // Debian's build prints an empty line.
    accepts: /(?:)/,
    programs: ["victoria-metrics", "victoria-metrics-prod"],
    how: { kind: "debian", package: "victoria-metrics", program: "usr/bin/victoria-metrics" },
  },
  {
    name: "node-exporter",
    version: "any version",
    accepts: /node_exporter/,
    programs: ["prometheus-node-exporter", "node_exporter"],
    how: {
      kind: "debian",
      package: "prometheus-node-exporter",
      program: "usr/bin/prometheus-node-exporter",
    },
  },
  {
    name: "promtool-2",
    version: "2.42 or a later 2.x",
    accepts: /version 2\.(4[2-9]|[5-9]\d)\./,
    programs: ["promtool"],
    how: { kind: "debian", package: "prometheus", program: "usr/bin/promtool" },
  },
  {
    name: "promtool-3",
    version: "3.15.0",
    accepts: /version 3\.\d+\.\d+/,
    programs: ["promtool"],
    how: {
      kind: "go",
      module: "prometheus-3",
      package: "github.com/prometheus/prometheus/cmd/promtool",
      flags: prometheus3Flags,
      variant: "-dns",
    },
  },
  {
    name: "postgres-exporter",
    version: "0.17.1",
    // The first that has the names of our dashboards by itself is 0.12.
    accepts: /version 0\.(1[2-9]|[2-9]\d)\./,
    programs: ["postgres_exporter"],
    how: {
      kind: "go",
      package: "github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter",
      flags: ["-ldflags=-s -w -X github.com/prometheus/common/version.Version=0.17.1"],
    },
  },
  {
    name: "postgres-exporter-debian",
    version: "any version",
    accepts: /postgres_exporter, version 0\./,
    programs: ["prometheus-postgres-exporter"],
    how: {
      kind: "debian",
      package: "prometheus-postgres-exporter",
      program: "usr/bin/prometheus-postgres-exporter",
    },
  },
  {
    name: "pgbouncer-exporter",
    version: "0.12.1",
    accepts: /pgbouncer_exporter, version 0\.\d+\./,
    programs: ["pgbouncer_exporter"],
    how: {
      kind: "go",
      package: "github.com/prometheus-community/pgbouncer_exporter",
      flags: ["-ldflags=-s -w -X github.com/prometheus/common/version.Version=0.12.1"],
    },
  },
  {
    name: "docker-compose",
    version: "2.26 or newer",
    accepts: /Compose version v?(2\.(2[6-9]|[3-9]\d)|[3-9]|\d\d)/,
    programs: ["docker-compose"],
    how: {
      kind: "debian",
      // Debian 12 has version 1 itself. The program is static, so that of Debian 13 runs on either.
      suite: "trixie",
      package: "docker-compose",
      program: "usr/libexec/docker/cli-plugins/docker-compose",
    },
  },
  {
    name: "chromium",
    version: "120 or newer",
    accepts: /(Chromium|Chrome) (1[2-9]\d|[2-9]\d\d)\./,
    programs: ["chromium", "chromium-browser", "google-chrome"],
    how: { kind: "apt", package: "chromium fonts-inter", program: "/usr/bin/chromium" },
  },
  {
    name: "strace",
    version: "any version",
    accepts: /strace -- version/,
    programs: ["strace"],
    how: { kind: "apt", package: "strace", program: "/usr/bin/strace" },
  },
];

/** The variable that names a tool's program and wins over every other place. @param {string} name */
export const variableOf = (name) => `PLIMSOLL_TOOL_${name.toUpperCase().replaceAll("-", "_")}`;

/**
 * The program of a tool, if this machine has it.
 *
 * @param {string} name
 * @returns {string | undefined} What its variable says, unchecked; else the path of a program that can be run.
 * @throws {ScriptError} when no tool has that name
 */
export function toolPath(name) {
  const tool = toolNamed(name);
  return variablePath(tool) ?? cachedPath(tool) ?? pathPath(tool);
}

/**
 * Installs what is missing, one tool at a time.
 *
 * A program on PATH serves where it is the very version that would be built, or where it cannot be built.
 *
 * @param {readonly string[]} names
 * @param {{ log: (line: string) => void }} options
 * @returns {Promise<ToolReport[]>} In the order of `names`.
 * @throws {ScriptError} when no tool has one of the names
 */
export async function installTools(names, { log }) {
  /** @type {ToolReport[]} */
  const reports = [];
  for (const tool of names.map(toolNamed)) {
    const found = variablePath(tool) ?? cachedPath(tool) ?? pathPath(tool, tool.how.kind === "go");
    if (found !== undefined) {
      reports.push({ tool, path: found });
      continue;
    }
    try {
      await installTool(tool, cacheFile(tool), log);
      reports.push({ tool, path: cacheFile(tool) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const other = pathPath(tool);
      if (other !== undefined) log(`${tool.name}: ${reason}; ${other} serves`);
      const wanted = `${tool.programs[0]} (${tool.version})`;
      const missing = `${reason}; or put ${wanted} on PATH or its path in ${variableOf(tool.name)}`;
      reports.push(other === undefined ? { tool, path: other, missing } : { tool, path: other });
    }
  }
  return reports;
}

/**
 * @param {string} name
 * @returns {Tool}
 */
function toolNamed(name) {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool) return tool;
  const known = tools.map((candidate) => candidate.name).join(", ");
  throw new ScriptError(`unknown tool ${JSON.stringify(name)}; expected one of ${known}`);
}

/** @param {Tool} tool */
const variablePath = (tool) => process.env[variableOf(tool.name)] || undefined;

/** @param {Tool} tool */
function cachedPath(tool) {
  const file = cacheFile(tool);
  return isProgram(file) ? file : undefined;
}

/** @param {Tool} tool */
function cacheFile(tool) {
  const version = tool.how.kind === "go" ? tool.version + (tool.how.variant ?? "") : "debian";
  const file = `${tool.name}-${version}-${process.platform}-${process.arch}`;
  return path.join(cacheFolder(), "tools", file);
}

/** Where the scripts keep what every clone on this machine can use. */
export function cacheFolder() {
  const { PLIMSOLL_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = PLIMSOLL_CACHE || XDG_CACHE_HOME || path.join(homedir(), ".cache");
  return path.resolve(cache, "plimsoll");
}

/**
 * @param {Tool} tool
 * @param {boolean} [exact] Only the version that is built, not another one that serves.
 */
function pathPath(tool, exact = false) {
  const folders = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder));
  return folders
    .flatMap((folder) => tool.programs.map((program) => path.join(folder, program)))
    .filter(isProgram)
    .find((file) => {
      const text = versionText(file);
      return (
        text !== undefined && tool.accepts.test(text) && (!exact || text.includes(tool.version))
      );
    });
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not to be run: both are an answer here.
    return false;
  }
}

/** @param {ToolReport[]} reports */
function printTable(reports) {
  for (const { tool, path: found, missing } of reports) {
    const columns = [tool.name.padEnd(26), tool.version.padEnd(20)];
    console.log(`${columns.join("")}${found ?? `missing: ${missing}`}`);
  }
}

/** @param {readonly string[]} args */
async function main([command, ...names]) {
  if (command === "list" && names.length === 0) {
    printTable(
      tools.map((tool) => ({ tool, path: toolPath(tool.name), missing: "not installed" })),
    );
  } else if (command === "install") {
    const chosen = names.length > 0 ? names : tools.map((tool) => tool.name);
    const reports = await installTools(chosen, { log: (line) => console.error(line) });
    printTable(reports);
    if (reports.some((report) => report.path === undefined)) process.exitCode = 1;
  } else {
    throw new ScriptError("usage: node scripts/tools.mjs install [NAME…] | list");
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2)).catch(fail);
}

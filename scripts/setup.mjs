/**
 * Brings a clone to where its tests and its demo can run: the right Node, the dependencies, the build.
 *
 * Each step looks first and does nothing where nothing has changed. What it runs prints to stderr.
 */
import { lstatSync, readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ScriptError, run } from "./run.mjs";

/** The folder that holds package.json. */
export const projectFolder = fileURLToPath(new URL("..", import.meta.url));

/** The program that a development dependency brings. @param {string} name */
export const dependencyProgram = (name) => path.join(projectFolder, "node_modules", ".bin", name);

/** @throws {ScriptError} where this Node is older than package.json's `engines` asks for */
export function ensureNode() {
  /** @type {string} */
  const range = readJson("package.json").engines.node;
  const needed = range.replace(">=", "");
  if (needed.localeCompare(process.versions.node, "en", { numeric: true }) > 0) {
    throw new ScriptError(
      `needs Node ${needed} or newer; this is ${process.versions.node} (${process.execPath})`,
    );
  }
}

/**
 * Runs `npm ci` where node_modules is not what package-lock.json says.
 *
 * @param {string} [folder] That has both; relative to the project's, which is the default.
 * @returns {Promise<void>}
 */
export async function ensureDependencies(folder = ".") {
  if (dependenciesAreCurrent(folder)) return;
  const installed = path.join(projectFolder, folder, "node_modules");
  // npm would follow the link and empty what somebody else uses.
  if (lstatSync(installed, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new ScriptError(
      "node_modules is a link and not up to date: remove the link, or run npm ci where it leads",
    );
  }
  await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: path.join(projectFolder, folder) });
}

/** Runs `npm run build` where dist is missing or older than src. @returns {Promise<void>} */
export async function ensureBuild() {
  const sources = ["package.json", "tsconfig.json", "tsconfig.build.json", ...filesOf("src")];
  const newestMs = Math.max(...sources.map(modifiedMs));
  if (modifiedMs("dist/index.js") > newestMs) return;
  await run("npm", ["run", "build"], { cwd: projectFolder });
}

/**
 * npm writes its own lockfile into node_modules when it has finished, without what this platform does not need.
 *
 * @param {string} folder
 */
function dependenciesAreCurrent(folder) {
  const hidden = path.join(folder, "node_modules/.package-lock.json");
  if (modifiedMs(hidden) === 0) return false;
  const { "": _root, ...wanted } = readJson(path.join(folder, "package-lock.json")).packages;
  const installed = readJson(hidden).packages;
  return Object.entries(wanted).every(([folder, { version, optional }]) =>
    folder in installed ? installed[folder].version === version : optional,
  );
}

/**
 * @param {string} folder Relative to the project's.
 * @returns {string[]}
 */
function filesOf(folder) {
  return readdirSync(path.join(projectFolder, folder), { recursive: true, encoding: "utf8" }).map(
    (file) => path.join(folder, file),
  );
}

/**
 * Folders count too: theirs changes when a file is added or removed.
 *
 * @param {string} file
 * @returns {number} Unix time in milliseconds; 0 where there is no such file.
 */
function modifiedMs(file) {
  return statSync(path.join(projectFolder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(path.join(projectFolder, file), "utf8"));
}

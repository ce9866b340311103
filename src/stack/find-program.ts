/**
 * Where a program of the stack is on this machine, and its version.
 *
 * Looked for in its variable (`PLIMSOLL_TOOL_PROMETHEUS_3=/path`), on PATH, then in the places where packages put
 * programs that are not on everybody's PATH.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { StackError } from "../errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is known of the machine on which the stack is to run. */
export interface Machine {
  readonly environment: Environment;
  /** The Node that runs us. */
  readonly node: FoundProgram;
}

export interface ProgramSearch {
  /** E.g. `PLIMSOLL_TOOL_NODE_EXPORTER`; the first that is set wins over every other place, and must be right. */
  readonly variables: readonly string[];
  /** Its names on PATH. */
  readonly names: readonly string[];
  /** Absolute paths. */
  readonly places?: readonly string[];
  /** The oldest that serves, e.g. `2.40`. */
  readonly oldest: string;
}

export interface FoundProgram {
  readonly path: string;
  /** `unknown` where it prints none. */
  readonly version: string;
}

/** How long `--version` may take, in milliseconds: a cold disk needs a second. */
const versionTimeoutMs = 10_000;

/**
 * @returns the program, or why there is none, for a person
 * @throws StackError if a variable names a program that does not serve
 */
export function findProgram(
  search: ProgramSearch,
  environment: Environment,
): FoundProgram | string {
  const { variables, names, places = [], oldest } = search;
  for (const variable of variables) {
    const path = environment[variable];
    if (path === undefined || path === "") continue;
    const version = versionOf(path);
    if (version !== undefined && !isOlder(version, oldest)) return { path, version };
    throw new StackError(
      `${variable}=${JSON.stringify(path)} ${version === undefined ? "cannot be run" : `is version ${version}`}; ` +
        `expected ${names[0]}, ${oldest} or newer`,
    );
  }
  const folders = (environment["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  let refused: string | undefined;
  for (const path of [
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    ...places,
  ]) {
    const version = isProgram(path) ? versionOf(path) : undefined;
    if (version === undefined) continue;
    if (!isOlder(version, oldest)) return { path, version };
    refused ??= `${path} is version ${version}, and ${oldest} is the oldest that serves`;
  }
  return refused ?? "not found";
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not to be run: both are an answer here.
    return false;
  }
}

/** Undefined where it does not run: made for another machine, or a library is missing. */
function versionOf(path: string): string | undefined {
  // Go's older exporters print it on stderr.
  const options = { encoding: "utf8", timeout: versionTimeoutMs } as const;
  const { status, stdout, stderr } = spawnSync(path, ["--version"], options);
  if (status !== 0) return undefined;
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? "unknown";
}

/** What does not say its version is taken as it is. */
export function isOlder(version: string, oldest: string): boolean {
  return version !== "unknown" && version.localeCompare(oldest, "en", { numeric: true }) < 0;
}

/**
 * What a run needs of this machine: Node, k6, the options, the spool.
 */
import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Options } from "../config/options.ts";
import { GeneratorError, messageOf, systemErrorCode } from "../errors.ts";
import { findK6 } from "../generate/k6.ts";
import { listSpools, type SpoolListing } from "../spool/list-spools.ts";
import type { Check } from "./check.ts";

/** The major versions that the project's tests run. */
const testedK6Majors = [1, 2];
/** As in package.json, `engines`. */
const oldestNode = [20, 19] as const;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  const facts = { version, oldest: oldestNode.join(".") };
  if (!isOld) return { check: "node", level: "ok", text: `Node ${version}`, facts };
  return {
    check: "node",
    level: "problem",
    text: `Node ${version} is older than what Plimsoll is written for`,
    change: `install Node ${oldestNode.join(".")} or newer`,
    facts,
  };
}

export function checkConfig(file: string | undefined): Check {
  return {
    check: "config",
    level: "ok",
    text:
      file === undefined
        ? "no plimsoll.yaml here: flags, variables and defaults count"
        : `options from ${file}; "plimsoll config" shows them`,
    facts: { file: file ?? null },
  };
}

export async function checkK6(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Check> {
  try {
    const k6 = await findK6({ path, env });
    const facts = { path: k6.path, version: k6.version, testedMajors: testedK6Majors };
    if (testedK6Majors.includes(Number.parseInt(k6.version, 10))) {
      return { check: "k6", level: "ok", text: `k6 ${k6.version} at ${k6.path}`, facts };
    }
    return {
      check: "k6",
      level: "warning",
      text: `k6 ${k6.version} at ${k6.path} is none of the versions that Plimsoll is tested with`,
      change: `use k6 ${testedK6Majors.map((major) => `${major}.x`).join(" or ")}`,
      facts,
    };
  } catch (error) {
    if (!(error instanceof GeneratorError)) throw error;
    return {
      check: "k6",
      // A URL and a file of samples need none; one that was named must be there.
      level: path === undefined ? "warning" : "problem",
      // What follows is for somebody who is about to run a script.
      text: error.message.replace(/;.*/s, ""),
      change:
        "install k6 to run scripts, or name its file with --k6; a URL and a file of samples need none",
      facts: { path: null, version: null, testedMajors: testedK6Majors },
    };
  }
}

/** Whether the spool can be written, and has the room that `--spool-limit` gives it. */
export async function checkSpool({
  spoolDir,
  spoolLimitBytes,
}: Pick<Options, "spoolDir" | "spoolLimitBytes">): Promise<Check> {
  const facts = { directory: spoolDir, limitBytes: spoolLimitBytes, freeBytes: null };
  try {
    const existing = await nearestFolder(spoolDir);
    await access(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(existing);
    const freeBytes = bavail * bsize;
    const room = `${mebibytes(freeBytes)} free for at most ${mebibytes(spoolLimitBytes)}`;
    if (freeBytes >= spoolLimitBytes) {
      return {
        check: "spool",
        level: "ok",
        text: `${spoolDir}: ${room}`,
        facts: { ...facts, freeBytes },
      };
    }
    return {
      check: "spool",
      level: "warning",
      text: `${spoolDir}: ${room}; when the disk is full, an outage of the receiver loses points`,
      change: "make room, or set --spool-dir to another disk, or a lower --spool-limit",
      facts: { ...facts, freeBytes },
    };
  } catch (error) {
    return {
      check: "spool",
      level: "problem",
      text: `${spoolDir} cannot be written: ${messageOf(error)}`,
      change: "set --spool-dir to a folder that this user can write",
      facts,
    };
  }
}

/** What earlier runs left, which no receiver has yet. */
export async function checkSpoolData(spoolDir: string): Promise<Check> {
  let spools;
  try {
    spools = (await listSpools(spoolDir)).map(toLeftSpool);
  } catch (error) {
    return {
      check: "spool_data",
      level: "problem",
      text: `${spoolDir} cannot be read: ${messageOf(error)}`,
      change: "let this user read it",
      facts: { spools: null },
    };
  }
  const busy = spools.filter(({ owner }) => owner !== null).length;
  const left = spools.filter(
    ({ owner, requests, problem }) => owner === null && (requests > 0 || problem !== null),
  );
  const facts = { spools };
  if (left.length === 0) {
    const text =
      busy > 0
        ? `nothing left behind; running processes have ${busy} of the spools`
        : "nothing left behind by earlier runs";
    return { check: "spool_data", level: "ok", text, facts };
  }
  const all = left.map(
    ({ directory, points, oldestMs, newestMs, problem }) =>
      problem ?? `${directory} holds ${points} points of ${time(oldestMs)} to ${time(newestMs)}`,
  );
  return {
    check: "spool_data",
    level: "warning",
    text: `earlier runs left what no receiver has: ${all.join("; ")}`,
    change:
      'send it with "plimsoll replay --all", or remove it with "plimsoll replay --all --discard"',
    facts,
  };
}

/** Under names that stay, for programs. */
function toLeftSpool({ directory, ownerPid, pending, ...listing }: SpoolListing) {
  return {
    directory,
    owner: ownerPid ?? null,
    requests: pending.batches,
    points: pending.samples + pending.histograms,
    oldestMs: listing.minTimestampMs ?? 0,
    newestMs: listing.maxTimestampMs ?? 0,
    problem: listing.problem ?? null,
  };
}

const time = (ms: number): string => new Date(ms).toISOString();

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;

/** The folder, or the one around it that exists: the rest is made when it is needed. */
async function nearestFolder(directory: string): Promise<string> {
  try {
    await access(directory);
    return directory;
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT" || dirname(directory) === directory) throw error;
    return await nearestFolder(dirname(directory));
  }
}

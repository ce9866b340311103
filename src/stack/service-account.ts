/**
 * Whom a server runs as that refuses to be root.
 *
 * In:  this process's user. Out: nothing to do, or a user of the system and what it can reach.
 */
import { readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, resolve } from "node:path";

export interface ServiceAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** `postgres` comes with Debian's package; `nobody` is everywhere. */
const accountNames = ["postgres", "nobody"];

/** `undefined` where we are not root, and servers run as ourselves. */
export function serviceAccount(): ServiceAccount | undefined {
  if (userInfo().uid !== 0) return undefined;
  const rows = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const wanted of accountNames) {
    const row = rows.find(([name]) => name === wanted);
    if (row) return { name: wanted, uid: Number(row[2]), gid: Number(row[3]) };
  }
  return undefined;
}

/** The outermost folder on the way to `path` that the account may not pass; `undefined` where it may pass all. */
export function blockingFolder({ uid, gid }: ServiceAccount, path: string): string | undefined {
  const parent = dirname(resolve(path));
  if (parent !== path) {
    const outer = blockingFolder({ name: "", uid, gid }, parent);
    if (outer !== undefined) return outer;
  }
  const stats = statSync(parent);
  const searchBit = stats.uid === uid ? 0o100 : stats.gid === gid ? 0o010 : 0o001;
  return (stats.mode & searchBit) === 0 ? parent : undefined;
}

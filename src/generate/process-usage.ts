/**
 * What a process has used of CPU and memory, asked of the operating system: `/proc` on Linux, `ps` elsewhere.
 *
 * Only the process itself: what it has started, such as k6's browsers, is not part of it.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** `ProcessUsage` in the operating system's terms: CPU since the process began. */
export interface RawUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Clock ticks per second in `/proc`: USER_HZ is 100 on every architecture. Source: Linux, proc(5). */
const ticksPerSecond = 100;

/** Undefined for a process that is gone, and where nobody can be asked. */
export async function readProcessUsage(pid: number): Promise<RawUsage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/status`, "utf8"),
    ]);
    return parseProc(stat, status);
  } catch {
    // It is gone, or this is no Linux.
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "time=,rss=", "-p", String(pid)]);
    return parsePs(stdout);
  } catch {
    // It is gone, or there is no ps: nothing is known of it.
    return undefined;
  }
}

/** @param stat The program's name, in brackets, may hold anything, brackets and spaces too. */
export function parseProc(stat: string, status: string): RawUsage | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Fields 14 and 15; the first one behind the name is the third.
  const ticks = Number(fields[11]) + Number(fields[12]);
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  if (!Number.isFinite(ticks)) return undefined;
  return { cpuSeconds: ticks / ticksPerSecond, residentBytes: kibibytes * 1_024 };
}

/** `1-02:03:04 56789` as procps prints it, `2:03.45 56789` as macOS does: time, then kibibytes. */
export function parsePs(line: string): RawUsage | undefined {
  const [, days = "0", time, kibibytes] = /^\s*(?:(\d+)-)?([\d:.]+)\s+(\d+)\s*$/.exec(line) ?? [];
  if (time === undefined) return undefined;
  const seconds = time.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  return {
    cpuSeconds: Number(days) * 86_400 + seconds,
    residentBytes: Number(kibibytes) * 1_024,
  };
}

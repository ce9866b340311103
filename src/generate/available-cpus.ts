/**
 * How many cores this machine's processes may use: what the scheduler gives, and no more than a container's quota.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

const cgroupRoot = "/sys/fs/cgroup";

/** A fraction where the quota is one, such as 1.5. */
export async function availableCpus(): Promise<number> {
  return Math.min(availableParallelism(), await quotaCpus());
}

/**
 * The tightest quota of our own control group and of those around it; infinite where there is none. Only of version 2:
 * what still has version 1 is measured against all cores.
 *
 * Source: Linux, `admin-guide/cgroup-v2.rst`, `cpu.max`: quota and period in microseconds, or "max".
 */
async function quotaCpus(): Promise<number> {
  let cpus = Infinity;
  const own = await readFile("/proc/self/cgroup", "utf8").catch(() => "");
  let group = /^0::(\/.*)$/m.exec(own)?.[1];
  while (group !== undefined) {
    const text = await readFile(join(cgroupRoot, group, "cpu.max"), "utf8").catch(() => "");
    const [, quota, period] = /^(\d+) (\d+)$/m.exec(text) ?? [];
    if (quota !== undefined) cpus = Math.min(cpus, Number(quota) / Number(period));
    group = group === "/" ? undefined : dirname(group);
  }
  return cpus;
}

/**
 * Asks who listens at a loopback address: whether a service answers, and whose process has a port.
 */
import { once } from "node:events";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { loopback } from "../free-port.ts";

/** A service under load answers late; one that hangs never does. */
const answerTimeoutMs = 2_000;

/** Whether `path` is answered with 200; without a path, whether a connection is taken. */
export async function answers(port: number, path: string | undefined): Promise<boolean> {
  if (path === undefined) return await takesConnections(port);
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const response = await fetch(`http://${loopback}:${port}${path}`, { signal });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Nothing listens, or too late: both are an answer here.
    return false;
  }
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect({ host: loopback, port, timeout: answerTimeoutMs });
  socket.on("timeout", () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * `process 4242 (prometheus)`, whoever listens on the port; undefined where the system does not tell: it is not
 * Linux, or the process is another user's.
 *
 * Source: proc(5): `/proc/net/tcp` has local address, state (0A: listening) and inode of each socket.
 */
export function ownerOf(port: number): string | undefined {
  try {
    const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
      listeningInodes(readFileSync(table, "latin1"), port),
    );
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (!holdsSocket(pid, inodes)) continue;
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      return `process ${pid} (${name})`;
    }
  } catch {
    // No /proc, or the process has ended meanwhile.
  }
  return undefined;
}

function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    return local.endsWith(suffix) && state === "0A" ? [`socket:[${inode}]`] : [];
  });
}

function holdsSocket(pid: string, inodes: readonly string[]): boolean {
  try {
    const files = readdirSync(`/proc/${pid}/fd`);
    return files.some((file) => inodes.includes(readlinkSync(`/proc/${pid}/fd/${file}`)));
  } catch {
    // Another user's process, or one that has ended.
    return false;
  }
}

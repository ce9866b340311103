/**
 * Ports of the loopback interface for programs that cannot say which one they chose.
 *
 * A port of the range that Linux gives to outgoing connections (32768 and above; other systems begin higher) may be free
 * now and be some client's own by the time the program listens, a second later. So ours are from below it.
 *
 * Source: Linux, `Documentation/networking/ip-sysctl.rst`, `ip_local_port_range`; RFC 6335, section 6.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

export const loopback = "127.0.0.1";

/** Above the ports that programs like to be found at, and the stack's (`--port-offset`). */
const lowestPort = 26_000;

/** The first that Linux gives to connections. */
const connectionPorts = 32_768;

/** A machine has a handful of them in use; this many in a row is another fault, such as a system that forbids to listen. */
const attempts = 100;

/**
 * A random port that is free, so that two who look at the same time find two.
 *
 * @throws Error where none was found.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const port = randomInt(lowestPort, connectionPorts);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `of ${attempts} ports of ${loopback} from ${lowestPort} to ${connectionPorts - 1} none is free`,
  );
}

/** Whether we could listen at it. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, loopback);
  try {
    await once(server, "listening");
  } catch {
    // Taken, or below 1024 and not for us: another port is the remedy for both.
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

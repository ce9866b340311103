/**
 * A server program for the time of one test: started on a free loopback port, waited for, killed, and its
 * temporary folder removed.
 */
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { findFreePort } from "../../src/free-port.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface ServerProcess extends AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  /** The process's own; removed with it. */
  readonly folder: string;
  /** Kills the process and starts it again, on the same port and folder. Resolves when it can be used. */
  restart(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly program: string;
  /** The arguments for a port of 127.0.0.1 and a folder of the process's own. */
  readonly args: (port: number, folder: string) => readonly string[];
  /** Beside this process's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Answers 200 when the server can be used. */
  readonly readyPath: string;
}

const startTimeoutMs = 30_000;
const pollMs = 50;

/** @throws Error with all that the program has printed, when it ends or is not ready after 30 s. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnPort(options, await findFreePort());
    } catch (error) {
      // Between our look and the program's, another took the port.
      if (attempt === 3 || !String(error).includes("address already in use")) throw error;
    }
  }
}

async function startOnPort(
  { program, args, env, readyPath }: ServerProcessOptions,
  port: number,
): Promise<ServerProcess> {
  const folder = await createTemporaryFolder();
  const url = `http://127.0.0.1:${port}`;
  const start = () =>
    startChild(program, args(port, folder.path), { ...process.env, ...env }, url + readyPath);
  try {
    let kill = await start();
    return {
      url,
      folder: folder.path,
      async restart() {
        await kill();
        kill = await start();
      },
      async [Symbol.asyncDispose]() {
        await kill();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

/** Resolves, when the program is ready, to what kills it. */
async function startChild(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  readyUrl: string,
): Promise<() => Promise<void>> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => printed.push(chunk));
  }
  let end: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end = error.message;
      resolve();
    });
    child.once("exit", (code, signal) => {
      end = `it ended with ${code ?? signal}`;
      resolve();
    });
  });
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!(await isReady(readyUrl))) {
    if (end !== undefined || Date.now() > deadlineMs) {
      const reason = end ?? `it is not ready after ${startTimeoutMs} ms`;
      await kill();
      throw new Error(`${program} did not start: ${reason}\n${Buffer.concat(printed).toString()}`);
    }
    await delay(pollMs);
  }
  return kill;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    // Nothing listens yet.
    return false;
  }
}

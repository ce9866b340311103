/**
 * `plimsoll serve` as its users have it: a process with a data directory of its own, before a store; asked by its API.
 */
import process from "node:process";
import { vi } from "vitest";
import type { RunView } from "../../src/server/api/run-view.ts";
import { findFreePort } from "../../src/free-port.ts";
import { plimsollCommand, startPlimsoll, type PlimsollProcess } from "./plimsoll.ts";
import { startProgram } from "./program.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface CloudServerOptions {
  /** Of the store that gets the samples. */
  readonly writeUrl: string;
  /** Beside address, output and data directory. */
  readonly flags?: readonly string[];
  /** Default: a port that is free. */
  readonly port?: number;
  /** What starts the program, e.g. `["taskset", "-c", "1"]`. */
  readonly wrapper?: readonly string[];
}

export interface CloudServer extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  readonly adminToken: string;
  /** Working directory and home of the process: its data directory is below. */
  readonly folder: string;
  /** The one that runs, or ran last. */
  readonly process: PlimsollProcess;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Killed, if it still runs, and started with the same data. Resolves when it can be used; rejects if it ends before. */
  restart(): Promise<void>;
  /** What `plimsoll env` says, as a shell understands it; of a server that is reached by another URL, that. */
  k6Environment(url?: string): Promise<Readonly<Record<string, string>>>;
  /** Any request below `/api/v1`, as the admin. Rejects where the answer is no 2xx. */
  ask(method: string, path: string, body?: unknown): Promise<Response>;
  run(id: number): Promise<RunView>;
  /** Resolves with the run as soon as it is so. Rejects after 30 s with what it is. */
  waitForRun(id: number, isSo: (run: RunView) => boolean): Promise<RunView>;
}

const patience = { timeout: 30_000, interval: 100 };

export async function startCloudServer(options: CloudServerOptions): Promise<CloudServer> {
  const { writeUrl, flags = [], port = await findFreePort(), wrapper } = options;
  const folder = await createTemporaryFolder();
  const url = `http://127.0.0.1:${port}`;
  const begin = (): PlimsollProcess =>
    startPlimsoll(
      ["serve", "--listen", `127.0.0.1:${port}`, "--out", `prometheus-rw=${writeUrl}`, ...flags],
      { folder: folder.path, ...(wrapper !== undefined && { wrapper }) },
    );
  let started = begin();
  const kill = async (): Promise<void> => await started[Symbol.asyncDispose]();
  const dispose = async (): Promise<void> => {
    await kill();
    await folder[Symbol.asyncDispose]();
  };
  const isReady = async (): Promise<void> => {
    const one = started;
    const look = async (): Promise<void> => {
      if (!(await fetch(`${url}/-/ready`)).ok) throw new Error(`not ready:\n${one.stderr}`);
    };
    const ended = one.result.then(() => {
      throw new Error(`it ended:\n${one.stderr}`);
    });
    const greeted = one.waitFor("samples to").then(async () => await vi.waitFor(look, patience));
    await Promise.race([greeted, ended]);
  };
  try {
    await isReady();
  } catch (error) {
    await dispose();
    throw error;
  }
  // The greeting is written at once.
  const [adminToken = ""] = /plm_[\w-]{43}/.exec(started.stderr) ?? [];
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${adminToken}`,
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path} answers ${response.status}: ${await response.text()}`);
    }
    return response;
  };
  // What our own API answers with, as a test holds it to its schema.
  const run = async (id: number): Promise<RunView> =>
    (await (await ask("GET", `/runs/${id}`)).json()) as RunView;
  return {
    url,
    adminToken,
    folder: folder.path,
    get process() {
      return started;
    },
    kill,
    async restart() {
      await kill();
      started = begin();
      await isReady();
    },
    async k6Environment(server = url) {
      const script = `eval "$(${quoted(plimsollCommand(["env", "--server", server]))})" && env -0`;
      const shell = startProgram(["sh", "-c", script], {
        folder: folder.path,
        env: { PATH: process.env["PATH"], HOME: folder.path, PLIMSOLL_TOKEN: adminToken },
      });
      const { exitCode, stdout, stderr } = await shell.result;
      if (exitCode !== 0) throw new Error(`plimsoll env: ${stderr}`);
      const all = stdout.split("\0").map((line) => line.split(/=(.*)/s, 2));
      return Object.fromEntries(all.filter(([name]) => name?.startsWith("K6_")));
    },
    ask,
    run,
    waitForRun: (id, isSo) =>
      vi.waitFor(async () => {
        const found = await run(id);
        if (!isSo(found)) throw new Error(`run ${id} is ${JSON.stringify(found)}`);
        return found;
      }, patience),
    [Symbol.asyncDispose]: dispose,
  };
}

/** For a shell. */
function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

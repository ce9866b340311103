/**
 * `live-host.mjs` for the time of one test: runs are started in it, pushed to and ended, and it is killed at will.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunRecord } from "../../src/runs/run-record.ts";
import type { PushOutcome, ReportedEnd, StartedRun, StartRun } from "../../src/runs/run-service.ts";
import { findFreePort } from "../../src/free-port.ts";
import { startRun } from "./start-run.ts";

const script = fileURLToPath(new URL("live-host.mjs", import.meta.url));

export interface LiveHostOptions {
  readonly dataDir: string;
  readonly writeUrl: string;
  /** Options of the output by name, as they would be written. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Of the service, where they are not the defaults. */
  readonly service?: Readonly<Record<string, number>>;
}

export interface Push {
  readonly runId: number;
  readonly instance?: string;
  readonly key: string;
  readonly body: Buffer;
}

export interface LiveHost extends AsyncDisposable {
  readonly stderr: string;
  start(request: Partial<StartRun>): Promise<StartedRun>;
  /** Rejects where nobody answers. */
  push(push: Push): Promise<PushOutcome>;
  /** As k6 does: again and again until there is an answer. */
  pushSurely(push: Push): Promise<PushOutcome>;
  end(runId: number, end: ReportedEnd): Promise<RunRecord>;
  run(runId: number): Promise<RunRecord>;
  ask<Answer>(path: string, body?: unknown): Promise<Answer>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and its end waited for. */
  stop(): Promise<void>;
  restart(): Promise<void>;
}

const patienceMs = 30_000;

export async function startLiveHost(options: LiveHostOptions): Promise<LiveHost> {
  const { dataDir, writeUrl, flags = {}, service = {} } = options;
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const argument = JSON.stringify({ port, dataDir, flags: { url: writeUrl, ...flags }, service });
  let stderr = "";
  let child: ReturnType<typeof begin> | undefined;
  const begin = () => {
    const started = spawn(process.execPath, [script, argument], {
      stdio: ["ignore", "inherit", "pipe"],
    });
    started.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    return started;
  };
  const endBy = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, "exit");
    ending.kill(signal);
    await ended;
  };
  const restart = async (): Promise<void> => {
    await endBy("SIGKILL");
    const started = begin();
    child = started;
    const deadlineMs = Date.now() + patienceMs;
    for (;;) {
      const isReady = await fetch(url).then(
        (response) => response.ok,
        () => false,
      );
      if (isReady) return;
      if (started.exitCode !== null || Date.now() > deadlineMs) throw new Error(stderr);
      await delay(20);
    }
  };
  const send = async <Answer>(path: string, body: Buffer | string): Promise<Answer> => {
    const response = await fetch(url + path, {
      method: "POST",
      body: new Uint8Array(Buffer.from(body)),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
    // The host answers what the interfaces of its functions say.
    return JSON.parse(text) as Answer;
  };
  const ask = async <Answer>(path: string, body: unknown = null): Promise<Answer> =>
    await send<Answer>(path, JSON.stringify(body));
  const push = async ({ runId, instance = "", key, body }: Push): Promise<PushOutcome> => {
    const query = new URLSearchParams({ instance, key }).toString();
    return await send<PushOutcome>(`/push/${runId}?${query}`, body);
  };
  await restart();
  return {
    get stderr() {
      return stderr;
    },
    start: async (request) => await ask<StartedRun>("/start", { ...startRun, ...request }),
    push,
    async pushSurely(one) {
      const deadlineMs = Date.now() + patienceMs;
      for (;;) {
        try {
          return await push(one);
        } catch (error) {
          if (Date.now() > deadlineMs) throw error;
          await delay(20);
        }
      }
    },
    end: async (runId, end) => await ask<RunRecord>(`/end/${runId}`, end),
    run: async (runId) => await ask<RunRecord>(`/run/${runId}`),
    ask,
    kill: async () => await endBy("SIGKILL"),
    stop: async () => await endBy("SIGTERM"),
    restart,
    [Symbol.asyncDispose]: async () => await endBy("SIGKILL"),
  };
}

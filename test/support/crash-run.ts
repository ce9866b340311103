/**
 * Unmodified k6 with a server for its cloud that is killed (SIGKILL) at random moments, while it starts as well as while it
 * serves, and a store that is away for a while.
 *
 * k6 tries a push three times within two seconds and then drops it, which says nothing of the server. So a port that stays
 * open (held-port.ts) makes k6 wait for a server that is away: then every push is acknowledged in the end, and what was
 * acknowledged is what k6 counted, to the last sample.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { findFreePort } from "../../src/free-port.ts";
import type { RunView } from "../../src/server/api/run-view.ts";
import { isOver } from "./cloud-checks.ts";
import { type CloudK6, type Flow, startCloudK6 } from "./cloud-k6.ts";
import { type CloudServer, startCloudServer } from "./cloud-server.ts";
import { type FaultyProxy, startFaultyProxy } from "./faulty-proxy.ts";
import { startHeldPort } from "./held-port.ts";
import { seeded } from "./k6-run.ts";
import type { Prometheus } from "./prometheus.ts";
import { countRun, expectExact, type RunCounts } from "./run-counts.ts";
import { startShop } from "./shop.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export interface CrashOptions {
  readonly prometheus: Prometheus;
  readonly generators: readonly Generator[];
  readonly seed: number;
  readonly kills: number;
  /** A server is killed within so long after its start. */
  readonly withinMs: number;
  /** How long the store is away, from the first quarter of the kills on. It is killed, too. */
  readonly awayMs: number;
}

export interface Generator {
  readonly program: string;
  readonly version: string;
  readonly flow: Flow;
}

export interface Kill {
  /** Since the first one that might have been. */
  readonly atMs: number;
  /** How long the server had been there. */
  readonly afterMs: number;
  /** Whether it had begun to serve. */
  readonly isServing: boolean;
  readonly isStoreAway: boolean;
}

export interface CrashedRun extends Generator {
  readonly run: RunView;
  readonly exitCode: number | null;
  /** What k6 has printed. */
  readonly output: string;
  readonly counts: RunCounts;
}

export interface CrashResult {
  readonly kills: readonly Kill[];
  /** From each start that was not cut short until the server served. */
  readonly startsMs: readonly number[];
  readonly runs: readonly CrashedRun[];
  /** Broken rules of remote write, a series out of order among them. */
  readonly violations: readonly string[];
  /** What the store has refused, by status. */
  readonly refusals: readonly number[];
}

/** Every count of each k6 is the server's and the store's, and nothing was refused or came twice. */
export function expectNothingLost({ runs, violations, refusals }: CrashResult): void {
  for (const { run, exitCode, output, counts } of runs) {
    expect({ exitCode, ...run }, output).toMatchObject({
      exitCode: 0,
      state: "finished",
      result: "passed",
      hasLateData: false,
    });
    expectExact(counts, output);
  }
  expect(violations).toEqual([]);
  expect(refusals).toEqual([]);
}

/** Between a server's end and the start of the next. */
const longestDownMs = 500;

export async function runCrashes(options: CrashOptions): Promise<CrashResult> {
  const { prometheus, generators } = options;
  await using store = await startFaultyProxy({
    target: prometheus.writeUrl,
    fault: () => undefined,
  });
  await using shop = await startShop();
  await using folder = await createTemporaryFolder();
  const port = await findFreePort();
  await using front = await startHeldPort(port);
  const flags = ["--public-url", front.url];
  await using server = await startCloudServer({ writeUrl: store.url, port, flags });
  const env = await server.k6Environment(front.url);
  const plan = planOf(options);
  const lastKillMs = plan.reduce((sum, { afterMs, downMs }) => sum + afterMs + downMs, 0);
  const started: CloudK6[] = [];
  try {
    for (const [at, { program, flow }] of generators.entries()) {
      const home = join(folder.path, `${at}`);
      await mkdir(home);
      const scriptEnv = {
        TEST: `crashes-${at}`,
        BASE_URL: shop.url,
        // It ends when the last server has just died, or starts.
        DURATION: `${Math.round(lastKillMs / 1_000)}s`,
      };
      const args = ["--summary-trend-stats", "count"];
      started.push(startCloudK6({ program, flow, folder: home, env, scriptEnv, args }));
    }
    const { kills, startsMs } = await killAgainAndAgain(server, store, plan, options);
    const runs: CrashedRun[] = [];
    for (const [at, k6] of started.entries()) {
      // There is one for each.
      runs.push(await resultOf(k6, generators[at]!, server, prometheus));
    }
    const refusals = store.requests.flatMap(({ end }) => (Number(end) >= 400 ? [Number(end)] : []));
    return { kills, startsMs, runs, violations: store.violations, refusals };
  } finally {
    for (const k6 of started) await k6[Symbol.asyncDispose]();
  }
}

interface Planned {
  readonly afterMs: number;
  readonly downMs: number;
}

function planOf({ seed, kills, withinMs }: CrashOptions): Planned[] {
  const random = seeded(seed);
  return Array.from({ length: kills }, () => ({
    afterMs: random() * withinMs,
    downMs: random() * longestDownMs,
  }));
}

/** Resolves when the last server serves, and the store is back. */
async function killAgainAndAgain(
  server: CloudServer,
  store: FaultyProxy,
  plan: readonly Planned[],
  { awayMs, prometheus }: CrashOptions,
): Promise<Pick<CrashResult, "kills" | "startsMs">> {
  const kills: Kill[] = [];
  const startsMs: number[] = [];
  const beganMs = Date.now();
  let isStoreAway = false;
  let isServing = true;
  const leave = async (): Promise<void> => {
    isStoreAway = true;
    await store.goDown();
    await Promise.all([delay(awayMs), prometheus.restart()]);
    await store.comeUp();
    isStoreAway = false;
  };
  const start = async (): Promise<void> => {
    const startMs = Date.now();
    isServing = false;
    await server.restart();
    isServing = true;
    startsMs.push(Date.now() - startMs);
  };
  let away = Promise.resolve();
  let serving = Promise.resolve();
  for (const [at, { afterMs, downMs }] of plan.entries()) {
    if (awayMs > 0 && at === Math.floor(plan.length / 4)) away = leave();
    await delay(afterMs);
    kills.push({ atMs: Date.now() - beganMs, afterMs, isServing, isStoreAway });
    await server.kill();
    await serving.catch(() => undefined);
    await delay(downMs);
    serving = start();
    // Where it is killed before, that is as it should be.
    serving.catch(() => undefined);
  }
  await serving;
  await away;
  return { kills, startsMs };
}

async function resultOf(
  k6: CloudK6,
  generator: Generator,
  server: CloudServer,
  prometheus: Prometheus,
): Promise<CrashedRun> {
  const { exitCode, stdout, stderr } = await k6.result;
  const id = await k6.runId;
  const run = await server.waitForRun(id, (one) => isOver(one) && one.summary.length > 0);
  const counts = await countRun(prometheus, run, await k6.summary());
  return { ...generator, run, exitCode, output: stdout + stderr, counts };
}

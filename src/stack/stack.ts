/**
 * The stack, whichever way it runs: as processes of this machine or as containers.
 *
 * In:  the folder with the state, which says how it was started. Out: the same answers for both.
 */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { StackError } from "../errors.ts";
import { isRunning } from "../process-identity.ts";
import {
  dockerStatus,
  hasDocker,
  isDockerUp,
  startDocker,
  stopDocker,
  toComposeVariables,
} from "./docker-stack.ts";
import type { Environment, Machine } from "./find-program.ts";
import { startNative, stopNative } from "./native-stack.ts";
import { defaultSettings } from "./plan.ts";
import { removeData } from "./remove-data.ts";
import { lockFolder, readState, type StackSettings, type StackState, writeState } from "./state.ts";
import { nativeStatus, type StackStatus } from "./status.ts";

export interface StackOptions {
  /** Absolute; made where it is missing. */
  readonly folder: string;
  readonly machine: Machine;
  /** Told what is being done, for a person. */
  readonly log: (text: string) => void;
  /** When aborted, what this call has begun is ended, and the call rejects. */
  readonly signal: AbortSignal;
}

export interface UpOptions extends StackOptions {
  /** Default: Docker where it is, else native. */
  readonly mode?: StackState["mode"] | undefined;
  /** What the user asks for; the rest is as before, or the default. */
  readonly settings: Partial<StackSettings>;
}

/** Three scrapes: Prometheus spreads the first over one interval, and a service may not be ready for it. */
const settleScrapes = 3;
const shortestSettleMs = 15_000;
const pollMs = 200;

/**
 * Starts what is not running, and waits until Prometheus has scraped all of it.
 *
 * @returns the status then; not healthy where a scrape fails for 15 s, or for three intervals
 * @throws StackError if it cannot be started
 */
export async function stackUp(options: UpOptions): Promise<StackStatus> {
  const { folder, machine, settings, signal, log } = options;
  const before = readState(folder);
  const { environment } = machine;
  const upIn = before && (await isUp(before, environment)) ? before.mode : undefined;
  if (upIn !== undefined && options.mode !== undefined && options.mode !== upIn) {
    throw new StackError(
      `the stack is up in ${modeNames[upIn]}: run "plimsoll down" first, which keeps the data`,
    );
  }
  const mode = upIn ?? options.mode ?? ((await hasDocker(environment)) ? "docker" : "native");
  if (mode === "docker") {
    await upDocker(options, before);
    return await settle(options);
  }
  const started = await startNative({ folder, machine, settings, signal, log });
  if (started.length === 0) log("the stack is up already");
  else log("waiting for Prometheus to scrape all of it");
  try {
    return await settle(options);
  } catch (error) {
    await stopNative({ folder, log }, started);
    throw error;
  }
}

/** Waits until every scrape succeeds, or the time is over. */
async function settle(options: StackOptions): Promise<StackStatus> {
  const deadlineMs = performance.now() + settleTimeoutMs(readState(options.folder));
  for (;;) {
    const status = await stackStatus(options);
    if (status === undefined) throw new StackError("the stack was ended while it started");
    const isSettled = status.services.every(({ target }) => (target ?? "up") === "up");
    if (isSettled || performance.now() > deadlineMs) return status;
    await delay(pollMs, undefined, { signal: options.signal });
  }
}

/** How long all scrapes may take to succeed. The interval of the Docker stack is its file's, 5 s. */
export function settleTimeoutMs(state: StackState | undefined): number {
  const interval = state?.mode === "native" ? state.settings.scrapeInterval : "5s";
  return Math.max(shortestSettleMs, settleScrapes * toMilliseconds(interval));
}

const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** @param duration as Prometheus writes it, below a week */
function toMilliseconds(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)([dhms])/g)];
  return parts.reduce(
    (sum, [, amount, unit = ""]) => sum + Number(amount) * (unitMs[unit] ?? 0),
    0,
  );
}

async function upDocker(
  { folder, machine: { environment }, settings, signal }: UpOptions,
  before: StackState | undefined,
): Promise<void> {
  const asked = { ...before?.dockerSettings, ...settings };
  const variables = toComposeVariables(asked);
  if (!(await hasDocker(environment))) {
    throw new StackError(
      'there is no Docker that answers to "docker compose version" and "docker version": ' +
        "install or start it, or use --native",
    );
  }
  // It may have been started without us, by `docker compose up`.
  const wasUp = await isDockerUp(environment);
  using lock = lockFolder(folder);
  void lock;
  const state: StackState = {
    settings: defaultSettings,
    ...before,
    mode: "docker",
    dockerSettings: asked,
    services: [],
    leftOut: [],
  };
  // Written first: `down` finds what an interrupted start has left.
  writeState(folder, state);
  try {
    await startDocker({ environment, variables, signal });
  } catch (error) {
    // What has not come to run binds no later start.
    writeState(folder, { ...state, dockerSettings: before?.dockerSettings ?? {} });
    if (!wasUp) await downDocker(environment, false);
    throw error;
  }
}

/** Ends what runs, and removes its data if asked to. Says what it does. */
export async function stackDown(
  { folder, machine, log }: Omit<StackOptions, "signal">,
  { isDataRemoved }: { readonly isDataRemoved: boolean },
): Promise<void> {
  const { mode, dockerSettings } = readState(folder) ?? {};
  if (mode !== "docker" && (await stopNative({ folder, log })).length === 0) log("nothing is up");
  // A stack of an earlier `up --docker` has left its volumes.
  const hasVolumes = dockerSettings !== undefined && isDataRemoved;
  if (mode === "docker" || hasVolumes) await downDocker(machine.environment, isDataRemoved);
  if (!isDataRemoved) return;
  const removed = existsSync(folder) ? await removeData(folder) : [];
  log(removed.length === 0 ? "no data is left" : `removed ${removed.join(", ")}`);
}

/** Undefined where nothing was started, or all of it was ended. */
export async function stackStatus({
  folder,
  machine,
}: Pick<StackOptions, "folder" | "machine">): Promise<StackStatus | undefined> {
  const state = readState(folder);
  if (state === undefined) return undefined;
  if (state.mode === "docker") return await dockerStatus(machine.environment);
  return state.services.length === 0 ? undefined : await nativeStatus(folder, state);
}

const modeNames = { docker: "Docker", native: "native processes" } as const;

async function isUp({ mode, services }: StackState, environment: Environment): Promise<boolean> {
  return mode === "docker" ? await isDockerUp(environment) : services.some(isRunning);
}

async function downDocker(environment: Environment, areVolumesRemoved: boolean): Promise<void> {
  // Not what interrupts the start: this is what comes after.
  const { signal } = new AbortController();
  await stopDocker({ environment, variables: {}, signal }, areVolumesRemoved);
}

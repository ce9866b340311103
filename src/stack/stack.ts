/**
 * The stack, whichever way it runs: as processes of this machine or as containers.
 *
 * In:  the folder with the state, which says how it was started. Out: the same answers for both.
 */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { StackError } from "../errors.ts";
import { isRunning } from "./daemon.ts";
import { dockerStatus, hasDocker, startDocker, stopDocker } from "./docker-stack.ts";
import type { Machine } from "./find-program.ts";
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
  /** What the user asks for; the rest is as the running stack has it, or the default. */
  readonly settings: Partial<StackSettings>;
}

/** Two scrapes at the default interval: Prometheus spreads the first over one. */
const settleTimeoutMs = 15_000;
const pollMs = 200;

/**
 * Starts what is not running, and waits until Prometheus has scraped all of it.
 *
 * @returns the status then; not healthy where a scrape fails for 15 s
 * @throws StackError if it cannot be started
 */
export async function stackUp(options: UpOptions): Promise<StackStatus> {
  const { folder, machine, settings, signal, log } = options;
  const before = readState(folder);
  const upIn = before && isUp(before) ? before.mode : undefined;
  if (upIn !== undefined && options.mode !== undefined && options.mode !== upIn) {
    throw new StackError(
      `the stack is up in ${modeNames[upIn]}: run "plimsoll down" first, which keeps the data`,
    );
  }
  const { environment } = machine;
  const mode = upIn ?? options.mode ?? ((await hasDocker(environment)) ? "docker" : "native");
  if (mode === "docker") {
    await upDocker(options, before, upIn === undefined);
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
  const deadlineMs = performance.now() + settleTimeoutMs;
  for (;;) {
    const status = await stackStatus(options);
    const isSettled = status?.services.every(({ target }) => (target ?? "up") === "up") ?? true;
    if (status && (isSettled || performance.now() > deadlineMs)) return status;
    await delay(pollMs, undefined, { signal: options.signal });
  }
}

async function upDocker(
  { folder, machine, settings, signal }: UpOptions,
  before: StackState | undefined,
  isFirst: boolean,
): Promise<void> {
  using lock = lockFolder(folder);
  void lock;
  // Written first: `down` finds what an interrupted start has left.
  const inForce = { ...defaultSettings, ...before?.settings, ...settings };
  writeState(folder, { mode: "docker", settings: inForce, services: [], leftOut: [] });
  try {
    await startDocker({ environment: machine.environment, settings, signal });
  } catch (error) {
    if (isFirst) await downDocker(folder, machine, false);
    throw error;
  }
}

/** Ends what runs, and removes its data if asked to. Says what it does. */
export async function stackDown(
  { folder, machine, log }: Omit<StackOptions, "signal">,
  { isDataRemoved }: { readonly isDataRemoved: boolean },
): Promise<void> {
  if (readState(folder)?.mode === "docker") {
    await downDocker(folder, machine, isDataRemoved);
  } else if ((await stopNative({ folder, log })).length === 0) {
    log("nothing is up");
  }
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

function isUp({ mode, services }: StackState): boolean {
  return mode === "docker" || services.some(isRunning);
}

async function downDocker(
  folder: string,
  { environment }: Machine,
  areVolumesRemoved: boolean,
): Promise<void> {
  // Not what interrupts the start: this is what comes after.
  const signal = new AbortController().signal;
  await stopDocker({ environment, settings: {}, signal }, areVolumesRemoved);
  const state = readState(folder);
  // What a later `up` in this folder does is not bound by it.
  if (state) writeState(folder, { ...state, mode: "native" });
}

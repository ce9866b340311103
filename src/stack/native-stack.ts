/**
 * The stack as processes of this machine: started, repaired and ended.
 *
 * In:  the rows of `services.ts`, the stack's folder.
 * Out: processes that run on without us. Each is in the folder's state before anything is asked of it, so that `down`
 *      finds it whatever happens to us.
 */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StackError } from "../errors.ts";
import { isRunning, type ProcessRecord } from "../process-identity.ts";
import { answers } from "./addresses.ts";
import { signalProcess, stopProcess } from "./daemon.ts";
import type { Machine } from "./find-program.ts";
import {
  defaultSettings,
  expectFreePorts,
  type Plan,
  type PlannedService,
  planServices,
  settleSettings,
  targetsOf,
} from "./plan.ts";
import { writePrometheusConfig } from "./prometheus-config.ts";
import { type Service, type ServiceName, services } from "./services.ts";
import {
  lockFolder,
  readState,
  type ServiceRecord,
  type StackSettings,
  type StackState,
  writeState,
} from "./state.ts";

/** The slowest is Prometheus, which reads back what it had in memory; after months of use that takes a while. */
const startTimeoutMs = 60_000;
const pollMs = 50;
/** Why a program did not start is at the end of its log, or before the help that it prints on a flag it refuses. */
const shownLines = { first: 3, last: 7 } as const;

export interface StackOptions {
  /** Absolute; made where it is missing. */
  readonly folder: string;
  /** Told what is being done, for a person. */
  readonly log: (text: string) => void;
}

export interface NativeOptions extends StackOptions {
  readonly machine: Machine;
  /** What the user asks for; the rest is as before, or the default. */
  readonly settings: Partial<StackSettings>;
  /** When aborted, what this call has begun is ended, and the call rejects. */
  readonly signal: AbortSignal;
}

/**
 * Starts what is not running. A stack that runs as a whole is left as it is. What does not start is left out, and with
 * it what needs it.
 *
 * @returns the names of what was started
 * @throws StackError if a port is taken, or Prometheus is not found or does not start: then what was begun is ended
 */
export async function startNative(options: NativeOptions): Promise<ServiceName[]> {
  const { folder, machine, signal, log } = options;
  using lock = lockFolder(folder);
  void lock;
  const before = readState(folder);
  const running = (before?.services ?? []).filter(isRunning);
  const settings = settleSettings(options.settings, before, running.length > 0);
  let plan = planServices(machine, settings, running);
  const missing = plan.planned.filter(
    ({ service }) => !running.some(({ name }) => name === service.name),
  );
  await expectFreePorts(missing);

  let state: StackState = {
    ...before,
    mode: "native",
    settings,
    services: running,
    leftOut: plan.leftOut,
  };
  const save = (change: Partial<StackState>): void => {
    state = { ...state, ...change };
    writeState(folder, state);
  };
  save({});
  configurePrometheus(folder, plan, state);
  mkdirSync(join(folder, "logs"), { recursive: true, mode: 0o700 });
  const begun: ServiceName[] = [];
  const start = async (planned: PlannedService): Promise<void> => {
    const { name, needs } = planned.service;
    const needed = needs?.find((other) => state.leftOut.some((one) => one.name === other));
    if (needed !== undefined) throw new StackError(`nothing without ${needed}`);
    log(`starting ${name} ${planned.program.version}`);
    const logFile = logFileOf(planned.service, folder);
    const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    begun.push(name);
    const add = (process: ProcessRecord): ServiceRecord => {
      const record = toRecord(planned, process, logFile);
      const others = state.services.filter((one) => one.name !== name);
      save({ services: inOrder([...others, record]) });
      return record;
    };
    const { databaseUrl, ...process } = await planned.service.start({
      folder,
      machine,
      settings,
      port: planned.port,
      program: planned.program,
      logFile,
      databaseUrl: state.databaseUrl,
      portOf: (other) => plan.planned.find(({ service }) => service.name === other)?.port,
      onSpawn: add,
    });
    const record = add(process);
    if (databaseUrl !== undefined) save({ databaseUrl });
    await expectReady(planned, record, logStart, signal);
  };
  const stop = async (name: ServiceName): Promise<void> => {
    const record = state.services.find((one) => one.name === name);
    if (record) await stopService(record, log);
    save({ services: state.services.filter((one) => one !== record) });
  };
  try {
    for (const planned of missing) {
      const { name } = planned.service;
      try {
        signal.throwIfAborted();
        await start(planned);
      } catch (error) {
        if (signal.aborted || name === "prometheus" || !(error instanceof StackError)) throw error;
        log(`${name} is left out: ${error.message}`);
        await stop(name);
        plan = leaveOut(plan, name, toNote(error));
        save({ leftOut: plan.leftOut });
        configurePrometheus(folder, plan, state);
      }
    }
  } catch (error) {
    for (const name of begun.toReversed()) await stop(name);
    // What has not come to run binds no later start.
    if (running.length === 0) save({ settings: before?.settings ?? defaultSettings });
    throw error;
  }
  return begun.filter((name) => state.services.some((one) => one.name === name));
}

/**
 * Ends what runs, the last first. The data stays.
 *
 * @param names only these
 * @returns the names of what was ended
 */
export async function stopNative(
  { folder, log }: StackOptions,
  names: readonly string[] = services.map(({ name }) => name),
): Promise<string[]> {
  if (readState(folder) === undefined) return [];
  using lock = lockFolder(folder);
  void lock;
  const before = readState(folder);
  if (before === undefined) return [];
  const ended: string[] = [];
  let left = before.services;
  for (const record of before.services.toReversed()) {
    if (!names.includes(record.name)) continue;
    if (isRunning(record)) ended.push(record.name);
    await stopService(record, log);
    left = left.filter((other) => other !== record);
    writeState(folder, { ...before, services: left });
  }
  return ended;
}

async function stopService(record: ServiceRecord, log: (text: string) => void): Promise<void> {
  if (!isRunning(record)) return;
  log(`ending ${record.name}`);
  const { stopSignals } = services.find(({ name }) => name === record.name) ?? {};
  if (!(await stopProcess(record, stopSignals))) {
    log(`${record.name} took too long to end and was killed`);
  }
}

/** Prometheus is told to read a configuration that has changed: a service that was found since. */
function configurePrometheus(folder: string, plan: Plan, { services, settings }: StackState): void {
  const hasChanged = writePrometheusConfig(folder, targetsOf(plan), settings);
  const prometheus = services.find(({ name }) => name === "prometheus");
  if (hasChanged && prometheus) signalProcess(prometheus, "SIGHUP");
}

/** @throws StackError with what is telling of its log */
async function expectReady(
  { service, port }: PlannedService,
  record: ServiceRecord,
  logStart: number,
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = performance.now() + startTimeoutMs;
  for (;;) {
    const isReady = await answers(port, service.readyPath);
    // Asked in this order: what answers while ours has ended is another program.
    const hasEnded = !isRunning(record);
    if (isReady && !hasEnded) return;
    signal.throwIfAborted();
    if (hasEnded || performance.now() > deadlineMs) {
      const reason = hasEnded ? "it has ended" : `no answer after ${startTimeoutMs / 1_000} s`;
      throw new StackError(
        `${service.name} did not start: ${reason}; of ${JSON.stringify(record.logFile)}:\n` +
          excerpt(record.logFile, logStart),
      );
    }
    await delay(pollMs);
  }
}

function leaveOut({ planned, leftOut }: Plan, name: ServiceName, reason: string): Plan {
  return {
    planned: planned.filter(({ service }) => service.name !== name),
    leftOut: [...leftOut, { name, reason }],
  };
}

/** One line: what failed, and the last that the program said. */
function toNote(error: StackError): string {
  const [first = "", ...rest] = error.message.trimEnd().split("\n");
  return [first, ...rest.slice(-1)].map((line) => line.trim()).join(" ");
}

function logFileOf({ name, ownLog, dataFolder }: Service, folder: string): string {
  return ownLog !== undefined && dataFolder
    ? join(dataFolder(folder), ownLog)
    : join(folder, "logs", `${name}.log`);
}

function excerpt(file: string, startBytes: number): string {
  const text = readFileSync(file).subarray(startBytes).toString("utf8").trimEnd();
  if (text === "") return "(nothing)";
  const lines = text.split("\n");
  const { first, last } = shownLines;
  if (lines.length <= first + last) return text;
  return [...lines.slice(0, first), "…", ...lines.slice(-last)].join("\n");
}

function toRecord(
  { service, port, program }: PlannedService,
  process: ProcessRecord,
  logFile: string,
): ServiceRecord {
  return {
    name: service.name,
    port,
    program: program.path,
    version: program.version,
    logFile,
    ...process,
  };
}

function inOrder(records: readonly ServiceRecord[]): ServiceRecord[] {
  return services.flatMap(({ name }) => records.filter((record) => record.name === name));
}

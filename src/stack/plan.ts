/**
 * What `up` is going to do, settled before anything is started: the settings, the services with their programs and
 * ports, what is left out and why.
 */
import { setTimeout as delay } from "node:timers/promises";
import { StackError } from "../errors.ts";
import { isFree } from "../free-port.ts";
import { ownerOf } from "./addresses.ts";
import type { FoundProgram, Machine } from "./find-program.ts";
import type { ScrapeTarget } from "./prometheus-config.ts";
import { type Service, services } from "./services.ts";
import type { ServiceRecord, StackSettings, StackState } from "./state.ts";

/** Two years: last year's campaign beside today's. docs/stack.md has what that takes on disk. */
export const defaultSettings: StackSettings = {
  portOffset: 0,
  retention: "2y",
  scrapeInterval: "5s",
};

export interface PlannedService {
  readonly service: Service;
  readonly port: number;
  readonly program: FoundProgram;
}

export interface Plan {
  /** In the order in which they start. */
  readonly planned: readonly PlannedService[];
  readonly leftOut: StackState["leftOut"];
}

/**
 * What was asked for, else what the data was kept with before, else the default.
 *
 * @throws StackError where something runs with other settings: processes cannot be told
 */
export function settleSettings(
  asked: Partial<StackSettings>,
  before: StackState | undefined,
  isRunning: boolean,
): StackSettings {
  const inForce = before?.settings ?? defaultSettings;
  const settled = { ...inForce, ...asked };
  if (isRunning) {
    const differing = Object.entries(settled).filter(
      ([name, value]) => Object.entries(inForce).find(([other]) => other === name)?.[1] !== value,
    );
    if (differing.length > 0) {
      const words = differing.map(([name, value]) => `${name} ${value}`).join(", ");
      throw new StackError(
        `the stack is up with other settings than ${words}: ` +
          'run "plimsoll down", which keeps the data, and then "plimsoll up" again',
      );
    }
  }
  return settled;
}

/**
 * Finds the programs. What runs is planned as it runs, even if its program has gone.
 *
 * @throws StackError if there is no Prometheus
 */
export function planServices(
  machine: Machine,
  { portOffset }: StackSettings,
  running: readonly ServiceRecord[],
): Plan {
  const planned: PlannedService[] = [];
  const leftOut: { name: string; reason: string }[] = [];
  for (const service of services) {
    const port = service.port + portOffset;
    const record = running.find(({ name }) => name === service.name);
    const needed = service.needs?.find((name) => leftOut.some((other) => other.name === name));
    const program =
      record !== undefined
        ? { path: record.program, version: record.version }
        : needed === undefined
          ? service.find(machine)
          : `nothing without ${needed}`;
    if (typeof program !== "string") {
      planned.push({ service, port, program });
    } else {
      const remedy = needed === undefined ? `: ${service.install ?? "install it"}` : "";
      leftOut.push({ name: service.name, reason: `${program}${remedy}` });
    }
  }
  const prometheus = leftOut.find(({ name }) => name === "prometheus");
  if (prometheus) {
    throw new StackError(`the stack needs Prometheus, which is ${prometheus.reason}`);
  }
  return { planned, leftOut };
}

/** What a service that was killed has left behind may take so long to end. The slowest is the shop's heap. */
const releaseTimeoutMs = 3_000;
const pollMs = 100;

/** @throws StackError with every port that is taken, and by whom */
export async function expectFreePorts(missing: readonly PlannedService[]): Promise<void> {
  const deadlineMs = performance.now() + releaseTimeoutMs;
  const problems: string[] = [];
  for (const { service, port } of missing) {
    let free = await isFree(port);
    while (!free && performance.now() < deadlineMs) {
      await delay(pollMs);
      free = await isFree(port);
    }
    if (free) continue;
    const owner = ownerOf(port) ?? "another program";
    problems.push(`port ${port}, for ${service.name}, is taken by ${owner}`);
  }
  if (problems.length === 0) return;
  throw new StackError(
    `${problems.join("\n")}\n` +
      'end it, or move the whole stack with --port-offset, e.g. "plimsoll up --port-offset 10000"',
  );
}

export function targetsOf({ planned }: Plan): ScrapeTarget[] {
  return planned.flatMap(({ service: { job }, port }) =>
    job === undefined ? [] : [{ job, address: `127.0.0.1:${port}` }],
  );
}

/**
 * How the native stack is: each of its services, looked at from outside.
 *
 * In:  the state that `up` has left. Out: what `plimsoll status` prints, and whether all is well.
 */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { loopback } from "../free-port.ts";
import { isRunning } from "../process-identity.ts";
import { answers } from "./addresses.ts";
import { type Service, services } from "./services.ts";
import type { ServiceRecord, StackState } from "./state.ts";
import { readTargets, type TargetHealth } from "./targets.ts";

export interface ServiceStatus {
  readonly name: string;
  /** `silent`: the process runs and does not answer. `ended`: without having been asked to. */
  readonly state: "up" | "silent" | "ended" | "left out";
  /** `host:port`. */
  readonly address?: string;
  readonly version?: string;
  readonly pid?: number;
  /** How Prometheus finds it; absent where it is not scraped. */
  readonly target?: TargetHealth["health"];
  /** What its data takes on disk. */
  readonly dataBytes?: number;
  /** What is wrong, or what to install. */
  readonly note?: string;
}

export interface StackStatus {
  readonly mode: StackState["mode"];
  /** Whether something was started, and all of it is well. */
  readonly isHealthy: boolean;
  readonly services: readonly ServiceStatus[];
}

export async function nativeStatus(folder: string, state: StackState): Promise<StackStatus> {
  const prometheus = state.services.find(({ name }) => name === "prometheus");
  const targets = prometheus
    ? await readTargets(`http://${loopback}:${prometheus.port}`)
    : new Map<string, TargetHealth>();
  const started = await Promise.all(
    state.services.map((record) => serviceStatus(folder, record, targets)),
  );
  return {
    mode: "native",
    isHealthy:
      started.length > 0 &&
      started.every(({ state, target }) => state === "up" && (target ?? "up") === "up"),
    services: [
      ...started,
      ...state.leftOut.map(({ name, reason }) => ({
        name,
        state: "left out" as const,
        note: reason,
      })),
    ],
  };
}

async function serviceStatus(
  folder: string,
  record: ServiceRecord,
  targets: ReadonlyMap<string, TargetHealth>,
): Promise<ServiceStatus> {
  const { name, port, version, pid, logFile } = record;
  const service = services.find((candidate) => candidate.name === name);
  const target = service?.job === undefined ? undefined : targets.get(service.job);
  const state = await processState(service, record);
  const note = state === "up" ? target?.error : `its log: ${logFile}`;
  const dataFolder = service?.dataFolder?.(folder);
  return {
    name,
    state,
    address: `${loopback}:${port}`,
    version,
    ...(state === "ended" ? {} : { pid }),
    ...(service?.job === undefined ? {} : { target: target?.health ?? "unknown" }),
    ...(dataFolder === undefined ? {} : { dataBytes: await sizeOf(dataFolder) }),
    ...(note === undefined ? {} : { note }),
  };
}

async function processState(
  service: Service | undefined,
  record: ServiceRecord,
): Promise<ServiceStatus["state"]> {
  if (!isRunning(record)) return "ended";
  return (await answers(record.port, service?.readyPath)) ? "up" : "silent";
}

/** What is allocated: Prometheus and Postgres make files longer than what is in them. */
async function sizeOf(folder: string): Promise<number> {
  try {
    const files = await readdir(folder, { recursive: true });
    const sizes = await Promise.all(files.map((file) => allocatedBytes(join(folder, file))));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    // Another user's, or removed meanwhile.
    return 0;
  }
}

async function allocatedBytes(file: string): Promise<number> {
  try {
    return (await lstat(file)).blocks * 512;
  } catch {
    // Removed meanwhile.
    return 0;
  }
}

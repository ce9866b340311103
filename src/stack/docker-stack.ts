/**
 * The stack as containers: the package's docker-compose.yml, run by Docker Compose.
 *
 * In:  the port offset and the retention of the native stack, given to the file by its variables.
 * Out: the same status. What a service is, its volumes and its health are the file's business.
 *
 * Source: Docker Compose v2, `docker compose up`, `ps`, `down`. Its `up --wait` fails where a container that has
 * nothing more to do has ended, so health is polled.
 */
import { execFile, spawn } from "node:child_process";
import { platform } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { messageOf, StackError } from "../errors.ts";
import type { Environment } from "./find-program.ts";
import { packagedFile } from "./packaged-files.ts";
import type { DockerSettings } from "./state.ts";
import type { ServiceStatus, StackStatus } from "./status.ts";
import { readTargets, type TargetHealth } from "./targets.ts";

/**
 * Where a run on the host is to serve its metrics: the file's network has this address of the host in it. Undefined
 * where Docker's host is a virtual machine, whose address it is then.
 */
export function dockerMetricsAddress(
  environment: Environment,
  system: NodeJS.Platform = platform(),
): string | undefined {
  if (system !== "linux") return undefined;
  return `${environment["STACK_GATEWAY"] || "172.30.99.1"}:9464`;
}

/** Pulled and built: the first start on a slow line takes minutes, but that is `up` itself; this is their health. */
const healthTimeoutMs = 120_000;
const pollMs = 500;

export interface DockerOptions {
  readonly environment: Environment;
  /** Of the file, by `toComposeVariables`; the rest is the user's environment, or the file's default. */
  readonly variables: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** An engine that hangs is none. */
const engineTimeoutMs = 5_000;

/** Whether Docker's engine answers and Compose is there. */
export async function hasDocker(environment: Environment): Promise<boolean> {
  try {
    const options = { env: { ...environment }, timeout: engineTimeoutMs };
    await promisify(execFile)("docker", ["compose", "version"], options);
    await promisify(execFile)("docker", ["version", "--format", "{{.Server.Version}}"], options);
    return true;
  } catch {
    // Not installed, no Compose, no engine, or no right to ask it: the stack is native then.
    return false;
  }
}

/**
 * Starts what is not running, and resolves when all is healthy.
 *
 * @throws StackError if Compose fails or a container is not healthy in time
 */
export async function startDocker(options: DockerOptions): Promise<void> {
  // Built anew, so that what the package brings is what runs after an update; without a change it takes a second.
  await compose(["up", "--detach", "--build"], options);
  const deadlineMs = performance.now() + healthTimeoutMs;
  for (;;) {
    const containers = await listContainers(options.environment);
    if (containers.every(({ state }) => state === "up")) return;
    options.signal.throwIfAborted();
    if (performance.now() > deadlineMs) {
      const names = containers.filter(({ state }) => state !== "up").map(({ name }) => name);
      throw new StackError(
        `not healthy after ${healthTimeoutMs / 1_000} s: ${names.join(", ")}; ` +
          `"docker compose -p plimsoll logs ${names[0]}" shows why`,
      );
    }
    await delay(pollMs);
  }
}

/** Ends all containers. Their volumes stay unless they are to be removed. */
export async function stopDocker(
  options: DockerOptions,
  areVolumesRemoved: boolean,
): Promise<void> {
  // Of all profiles: what was started with one is the stack's too.
  await compose(["--profile", "*", "down", ...(areVolumesRemoved ? ["--volumes"] : [])], options);
}

/** Whether anything of it is there, whoever started it. */
export async function isDockerUp(environment: Environment): Promise<boolean> {
  return (await hasDocker(environment)) && (await listContainers(environment)).length > 0;
}

/** Undefined where there are no containers. */
export async function dockerStatus(environment: Environment): Promise<StackStatus | undefined> {
  const containers = await listContainers(environment);
  if (containers.length === 0) return undefined;
  const prometheus = containers.find(({ name }) => name === "prometheus")?.address;
  const targets = prometheus
    ? await readTargets(`http://${prometheus}`)
    : new Map<string, TargetHealth>();
  const services = containers.map((container): ServiceStatus => {
    const job = jobs[container.name];
    if (job === undefined) return container;
    const { health = "unknown", error } = targets.get(job) ?? {};
    return { ...container, target: health, ...(error === undefined ? {} : { note: error }) };
  });
  return {
    mode: "docker",
    isHealthy: services.every(({ state, target }) => state === "up" && (target ?? "up") === "up"),
    services,
  };
}

/** The file's service to the Prometheus job that scrapes it. */
const jobs: Readonly<Record<string, string>> = {
  prometheus: "prometheus",
  "node-exporter": "node",
  "postgres-exporter": "postgres",
  "pgbouncer-exporter": "pgbouncer",
  shop: "shop",
};

/** The usual ports that it publishes, by its variables. */
const portVariables = {
  PROMETHEUS_PORT: 9090,
  GRAFANA_PORT: 3000,
  SHOP_PORT: 8080,
};

/**
 * The settings as the file's variables. One that was not asked for leaves the variable to the user's environment.
 *
 * @throws StackError for a setting that the file does not have
 */
export function toComposeVariables({
  portOffset,
  retention,
  scrapeInterval,
}: DockerSettings & { readonly scrapeInterval?: string | undefined }): Record<string, string> {
  if (scrapeInterval !== undefined) {
    throw new StackError(
      "the scrape interval of the Docker stack is set in provisioning/prometheus/prometheus.yml: " +
        "leave --scrape-interval out, or use --native",
    );
  }
  const ports = Object.entries(portVariables).map(([variable, port]) => [
    variable,
    String(port + (portOffset ?? 0)),
  ]);
  return {
    ...(portOffset === undefined ? {} : Object.fromEntries(ports)),
    ...(retention === undefined ? {} : { PROMETHEUS_RETENTION: retention }),
  };
}

const composeArguments = ["compose", "--file", packagedFile("docker-compose.yml")];

async function compose(
  args: readonly string[],
  { environment, variables, signal }: DockerOptions,
): Promise<void> {
  // What Compose says of its progress is for a person, as is all that we write to stderr.
  const child = spawn("docker", [...composeArguments, ...args], {
    env: { ...environment, ...variables },
    stdio: ["ignore", 2, 2],
    signal,
  });
  let failure: unknown;
  child.once("error", (error) => (failure = error));
  // Also after an error: when it is told to end, it is still at work for a while.
  await new Promise((resolve) => child.once("close", resolve));
  signal.throwIfAborted();
  if (failure !== undefined) {
    throw new StackError(`docker cannot be started: ${messageOf(failure)}`, { cause: failure });
  }
  if (child.exitCode !== 0) {
    throw new StackError(
      `"docker compose ${args.join(" ")}" ended with ${child.exitCode ?? child.signalCode}; ` +
        "what it said is above",
    );
  }
}

const container = z.object({
  Service: z.string(),
  Image: z.string(),
  State: z.string(),
  Health: z.string(),
  ExitCode: z.number(),
  Publishers: z.array(z.object({ URL: z.string(), PublishedPort: z.number() })).nullish(),
});

async function listContainers(environment: Environment): Promise<ServiceStatus[]> {
  const args = [...composeArguments, "ps", "--all", "--format", "json"];
  try {
    const { stdout } = await promisify(execFile)("docker", args, { env: { ...environment } });
    return parseContainers(stdout);
  } catch (cause) {
    throw new StackError(`"docker compose ps" failed: ${messageOf(cause)}`, { cause });
  }
}

/** @param text one JSON object a line; before Compose 2.21 one array */
export function parseContainers(text: string): ServiceStatus[] {
  const values = text.trimStart().startsWith("[")
    ? z.array(container).parse(JSON.parse(text))
    : text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => container.parse(JSON.parse(line)));
  return values.map(({ Service, Image, State, Health, ExitCode, Publishers }) => {
    const published = Publishers?.find(({ PublishedPort }) => PublishedPort > 0);
    const isDone = State === "exited" && ExitCode === 0;
    const isUp = isDone || (State === "running" && (Health === "" || Health === "healthy"));
    return {
      name: Service,
      state: isUp ? "up" : State === "running" ? "silent" : "ended",
      version: /:v?([^:/]+)$/.exec(Image)?.[1] ?? "unknown",
      ...(published ? { address: `${published.URL}:${published.PublishedPort}` } : {}),
      ...(isUp ? {} : { note: [State, Health].filter(Boolean).join(", ") }),
    };
  });
}

/**
 * `plimsoll up`: the stack around a run, started or repaired.
 */
import { Command } from "commander";
import { UsageError } from "../errors.ts";
import { dockerMetricsAddress } from "../stack/docker-stack.ts";
import type { Environment } from "../stack/find-program.ts";
import { grafanaPasswordFile } from "../stack/grafana.ts";
import { packagedFile } from "../stack/packaged-files.ts";
import { defaultSettings } from "../stack/plan.ts";
import { runMetricsAddress } from "../stack/prometheus-config.ts";
import { grafanaFolder } from "../stack/services.ts";
import { stackUp } from "../stack/stack.ts";
import type { StackSettings } from "../stack/state.ts";
import type { StackStatus } from "../stack/status.ts";
import { exitCodes } from "./exit-codes.ts";
import { listenForInterrupts } from "./interrupts.ts";
import {
  addStackFlags,
  type StackIo,
  stackOptions,
  toStatusJson,
  toStatusTable,
} from "./stack-flags.ts";

interface UpFlags {
  readonly portOffset?: string;
  readonly retention?: string;
  readonly scrapeInterval?: string;
  readonly docker?: boolean;
  readonly native?: boolean;
  readonly json?: boolean;
}

export function upCommand(io: StackIo): Command {
  const command = new Command("up")
    .description("start Prometheus and what belongs around a run, or what of it does not run")
    .option(
      "--port-offset <n>",
      "add this to every port (default: as before, at first 0; PLIMSOLL_UP_PORT_OFFSET)",
    )
    .option(
      "--retention <duration>",
      `how long samples are kept (default: as before, at first ${defaultSettings.retention}; PLIMSOLL_UP_RETENTION)`,
    )
    .option(
      "--scrape-interval <duration>",
      `time between scrapes; as processes only (default: as before, at first ${defaultSettings.scrapeInterval}; PLIMSOLL_UP_SCRAPE_INTERVAL)`,
    )
    .option("--docker", "with Docker Compose (default where Docker is)")
    .option("--native", "as processes of this machine (default where Docker is not)")
    .option("--json", "print one JSON object");
  addStackFlags(command);
  return command
    .addHelpText(
      "after",
      `
The stack: Prometheus, node_exporter, Postgres with its exporter and PgBouncer, the example shop, Grafana. As processes
of this machine, each is looked for on PATH; what is not found is left out and named, with what to install, and only
Prometheus must be there. All listen on 127.0.0.1. "plimsoll up" once more starts what has ended; "plimsoll down" ends
all and keeps the data, and with it the settings: the next "up" has them again where no others are given.

Examples:
  plimsoll up
  plimsoll up --port-offset 10000
  plimsoll run checkout.js --out prometheus-rw --metrics-listen ${runMetricsAddress}`,
    )
    .action(async (flags: UpFlags) => {
      io.setExitCode(await up(command, io, flags));
    });
}

async function up(command: Command, io: StackIo, flags: UpFlags): Promise<number> {
  if (flags.docker === true && flags.native === true) {
    throw new UsageError("--docker and --native exclude each other: give one, or neither");
  }
  const mode = flags.docker === true ? "docker" : flags.native === true ? "native" : undefined;
  const settings = readSettings(flags, io.env);
  const options = stackOptions(command, io);
  using interrupts = listenForInterrupts({
    onFirst: () => options.log("ending what was begun; Ctrl-C again leaves at once"),
    onSecond: () => options.log('left at once; "plimsoll down" ends what was begun'),
  });
  const { signal } = interrupts;
  let status: StackStatus;
  try {
    status = await stackUp({ ...options, mode, settings, signal });
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted;
    throw error;
  }
  if (flags.json === true) {
    io.stdout.write(toStatusJson(options.folder, status));
  } else {
    io.stdout.write(toStatusTable(status));
    io.stderr.write(toNextSteps(options.folder, status, io.env));
  }
  return status.isHealthy ? exitCodes.ok : exitCodes.unavailable;
}

/** @throws UsageError with the flag or the variable */
function readSettings(flags: UpFlags, env: Environment): Partial<StackSettings> {
  const portOffset = read(
    flags.portOffset,
    "port-offset",
    env,
    isPortOffset,
    `a number from 0 to ${highestPortOffset}: from port ${firstEphemeralPort} on, Linux gives ports to connections`,
  );
  const retention = read(
    flags.retention,
    "retention",
    env,
    isDuration,
    'one such as "2y" or "90d"',
  );
  const interval = read(
    flags.scrapeInterval,
    "scrape-interval",
    env,
    isInterval,
    'one such as "5s"',
  );
  return {
    ...(portOffset === undefined ? {} : { portOffset: Number(portOffset) }),
    ...(retention === undefined ? {} : { retention }),
    ...(interval === undefined ? {} : { scrapeInterval: interval }),
  };
}

function read(
  flag: string | undefined,
  name: string,
  env: Environment,
  isValid: (text: string) => boolean,
  expected: string,
): string | undefined {
  const variable = `PLIMSOLL_UP_${name.replaceAll("-", "_").toUpperCase()}`;
  const value = flag ?? (env[variable] || undefined);
  if (value === undefined || isValid(value)) return value;
  const option = flag === undefined ? variable : `--${name}`;
  throw new UsageError(`${option} is ${JSON.stringify(value)}; expected ${expected}`);
}

/** Any connection may have such a port when a service is to start. Source: Linux, `ip_local_port_range`. */
const firstEphemeralPort = 32_768;
/** The highest of the usual ports is 15432. */
const highestPortOffset = 17_000;

function isPortOffset(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= highestPortOffset;
}

/** Source: Prometheus, `model.ParseDuration`: whole numbers, units in this order. */
function isDuration(text: string): boolean {
  return /^(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/.test(text) && /[1-9]/.test(text);
}

/** In weeks and years nothing is scraped. */
function isInterval(text: string): boolean {
  return isDuration(text) && !/[wy]/.test(text);
}

function toNextSteps(folder: string, { mode, services }: StackStatus, env: Environment): string {
  const urlOf = (name: string): string | undefined => {
    const address = services.find((one) => one.name === name)?.address;
    return address === undefined ? undefined : `http://${address}`;
  };
  const prometheus = urlOf("prometheus") ?? "";
  const shop = urlOf("shop");
  const grafana = urlOf("grafana");
  const load = shop === undefined ? "checkout.js" : `${shop}/products`;
  const listen = mode === "docker" ? dockerMetricsAddress(env) : runMetricsAddress;
  const metrics = listen === undefined ? "" : ` --metrics-listen ${listen}`;
  const login =
    mode === "docker"
      ? ""
      : `, user admin, password in ${grafanaPasswordFile(grafanaFolder(folder))}`;
  const dashboards =
    grafana === undefined
      ? `import the files of ${packagedFile("dashboards")} into your Grafana, with ${prometheus} as the data source.`
      : `${grafana}${login}.`;
  return `
Prometheus is at ${prometheus}. To see a run in it:

  plimsoll run ${load} --out prometheus-rw=${prometheus}/api/v1/write${metrics}

Dashboards: ${dashboards}
"plimsoll status" shows how it is; "plimsoll down" ends it and keeps the data.
`;
}

/**
 * `plimsoll run SCRIPT|URL`: makes load, and streams its samples.
 *
 * A script runs in k6, which hands over its samples as src/cli/k6-feed.ts says; a URL is loaded by autocannon.
 */
import { randomBytes } from "node:crypto";
import process from "node:process";
import { Command, Option } from "commander";
import { systemClock } from "../clock.ts";
import { UsageError } from "../errors.ts";
import { HealthMonitor } from "../generate/health-monitor.ts";
import { defaultExpectStatus } from "../generate/expect-status.ts";
import { type K6SamplesChoice, k6SamplesChoices } from "../generate/k6-samples.ts";
import type { CommandIo } from "./command-io.ts";
import { exitCodes } from "./exit-codes.ts";
import { identify } from "../output/identify.ts";
import { listenForInterrupts } from "./interrupts.ts";
import type { LoadEnd } from "./load.ts";
import { prepareScriptLoad } from "./load-script.ts";
import { prepareUrlLoad, type UrlLoadFlags } from "./load-url.ts";
import { loadSelfMetrics, startMetricsServer } from "./metrics-server.ts";
import { openOutputs, planOutputs } from "./open-outputs.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import { createRunParts, deliveryParts, Progress, type ProgressStream } from "./progress.ts";
import { toRunOutcome } from "./run-outcome.ts";
import { RunRegister } from "./run-register.ts";
import { expectReportPath, isComplete, showReport, toRunReport } from "./run-report.ts";

interface RunFlags extends UrlLoadFlags {
  readonly k6?: string;
  readonly k6Samples: K6SamplesChoice;
  readonly report?: string;
  readonly quiet?: boolean;
}

export interface RunIo extends CommandIo {
  readonly stderr: ProgressStream;
  /** Arguments that are k6's; see `splitRunArguments`. */
  readonly k6Arguments: readonly string[];
  setExitCode(code: number): void;
}

const urlOnly = ["rate", "method", "header", "body", "expectStatus"] as const;

const brokenLoad: LoadEnd = {
  state: "aborted_by_system",
  thresholds: [],
  exitCode: undefined,
  counts: undefined,
};

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [
  ...previous,
  value,
];

export function runCommand(io: RunIo): Command {
  const command = new Command("run")
    .description("run a k6 script, or load a URL, and stream every sample to Prometheus")
    .argument("<script|url>", "a k6 script or archive, or an http(s) URL to load without k6")
    .usage("[options] [k6 flags] <script|url>")
    .optionsGroup("Load:")
    .option("-u, --vus <n>", "virtual users; connections for a URL (URL default: 10)")
    .option("-d, --duration <duration>", "how long, e.g. 30s or 1m30s (URL default: 10s)")
    .optionsGroup("Load of a script:")
    .option("--k6 <path>", "the k6 to run (default: k6 on PATH)")
    .addOption(
      new Option(
        "--k6-samples <how>",
        "how samples come out of k6: buckets of a second, lines (every one by itself), or auto (buckets where those are exact)",
      )
        .choices(k6SamplesChoices)
        .default("auto" satisfies K6SamplesChoice),
    )
    .optionsGroup("Load of a URL:")
    .option("--rate <n>", "requests per second over all connections (default: as many as go)")
    .option("--method <method>", "HTTP method (default: GET)")
    .option("--header <name:value>", "request header; may be repeated", collect)
    .option("--body <text>", "request body")
    .option(
      "--expect-status <list>",
      `statuses that are no failure (default: ${defaultExpectStatus})`,
    )
    .optionsGroup("Reporting:")
    .option("-q, --quiet", "no progress and no report; problems are still shown")
    .option("--report <file>", "write the report of the run's end as JSON");
  addOptionFlags(command, "run", "prometheus-rw");
  return command
    .addHelpText(
      "after",
      `
Every other flag of "k6 run" goes to k6 unchanged, as does everything after "--".
The exit code is k6's own; where k6 has nothing to say, 3 if a sample did not reach the store.

Examples:
  plimsoll run checkout.js --out prometheus-rw
  plimsoll run checkout.js --stage 1m:50,5m:50 --out prometheus-rw=http://prom:9090/api/v1/write --tag version=1.4.2
  plimsoll run https://shop.test --vus 50 --duration 60s --out prometheus-rw`,
    )
    .action(async (target: string, flags: RunFlags) => {
      io.setExitCode(await run(command, io, target, flags));
    });
}

async function run(command: Command, io: RunIo, target: string, flags: RunFlags): Promise<number> {
  const isUrl = /^https?:\/\//i.test(target);
  const { values: options } = resolveCommandOptions(command, io);
  const plan = planOutputs(options.out, !isUrl);
  await expectReportPath(flags.report);
  const load = isUrl
    ? prepareUrlLoad(target, urlFlags(flags, io.k6Arguments))
    : await prepareScriptLoad({
        script: target,
        args: scriptArguments(flags, plan.k6Outputs, options.tags, io.k6Arguments),
        k6: flags.k6,
        env: io.env,
        samples: flags.k6Samples,
        pushIntervalMs: options.pushIntervalMs,
      });
  const { identity, tags } = identify(options, {
    source: target,
    startMs: systemClock.nowMs(),
    suffix: randomBytes(2).toString("hex"),
  });

  let progress: Progress | undefined;
  const log = (text: string): void => {
    if (progress) progress.log(text);
    else io.stderr.write(`${text}\n`);
  };
  using health = await HealthMonitor.start(process.pid);
  const outputs = await openOutputs(options, plan.jsonFiles, {
    identity,
    tags,
    generator: load.generator,
    isLive: true,
    storesSelfMetrics: true,
    health,
    startMs: systemClock.nowMs(),
    onNotice: (text) => log(`plimsoll: ${text}`),
  });
  const { prometheus } = outputs;
  try {
    await using metrics = await startMetricsServer(
      options.metricsListen,
      () => loadSelfMetrics(prometheus),
      log,
    );
    void metrics;
    if (flags.quiet !== true)
      log(`plimsoll: run ${identity.testid}, samples to ${prometheus.displayUrl}`);
    const parts = createRunParts(prometheus, () => systemClock.nowMs());
    progress = new Progress(io.stderr, parts, flags.quiet === true);
    let isLoadOver = false;
    using interrupts = listenForInterrupts({
      onFirst: () => {
        const what = isLoadOver ? "delivering what is pending" : "stopping the load";
        log(`plimsoll: ${what}; Ctrl-C again leaves at once`);
      },
      onSecond: () => {
        load.kill();
        log(`plimsoll: left at once; what was not sent is in ${prometheus.spoolDirectory}`);
      },
    });
    let failure: unknown;
    const context = {
      sink: outputs.sink,
      buckets: prometheus.sink,
      isClassic: prometheus.trendForm === "classic",
      signal: interrupts.signal,
      log,
      onProcess: (name: string, pid: number) => health.watch(name, pid),
      onLoadOver: () => progress?.[Symbol.dispose](),
    };
    const loading = load.run(context);
    const registered = { identity, tags, generator: load.generator, store: prometheus.displayUrl };
    await using register = new RunRegister(registered, options, (text) => log(`plimsoll: ${text}`));
    const end = await loading.catch((error: unknown): LoadEnd => {
      if (prometheus.progress.samples.read === 0) throw error;
      // What was measured until then is kept and accounted for.
      failure = error;
      load.kill();
      progress?.[Symbol.dispose]();
      return brokenLoad;
    });
    isLoadOver = true;
    const restParts = (): string[] => [
      "delivering the rest",
      ...deliveryParts(prometheus.progress, systemClock.nowMs()),
    ];
    progress = new Progress(io.stderr, restParts, flags.quiet === true);
    await prometheus.finish(end);
    progress[Symbol.dispose]();
    await outputs.close().catch((error: unknown) => {
      // Thrown when what was measured is shown and kept.
      failure ??= error;
    });
    const report = toRunReport(prometheus, end, health.health);
    await register.end(toRunOutcome(prometheus, end));
    await showReport(report, io.stderr, flags);
    if (failure !== undefined) throw failure;
    if (end.exitCode !== undefined && end.exitCode !== 0) return end.exitCode;
    return isComplete(report) ? exitCodes.ok : exitCodes.incomplete;
  } catch (error) {
    load.kill();
    await prometheus.close();
    throw error;
  } finally {
    progress?.[Symbol.dispose]();
  }
}

function urlFlags(flags: RunFlags, k6Arguments: readonly string[]): UrlLoadFlags {
  const [k6Argument] = flags.k6 === undefined ? k6Arguments : ["--k6"];
  if (k6Argument !== undefined) {
    throw new UsageError(
      `${JSON.stringify(k6Argument)} is for k6, and a URL is loaded by autocannon; ` +
        "use --vus, --duration, --rate, --method, --header, --body, --expect-status",
    );
  }
  return flags;
}

/** What k6 gets: the flags that we share with it, its outputs, the run's tags, and its own flags. */
function scriptArguments(
  flags: RunFlags,
  k6Outputs: readonly string[],
  tags: ReadonlyMap<string, string>,
  k6Arguments: readonly string[],
): string[] {
  for (const name of urlOnly) {
    if (flags[name] === undefined) continue;
    const flag = name === "expectStatus" ? "expect-status" : name;
    throw new UsageError(`--${flag} is for loading a URL; a script says for itself what it sends`);
  }
  return [
    ...(flags.vus === undefined ? [] : ["--vus", flags.vus]),
    ...(flags.duration === undefined ? [] : ["--duration", flags.duration]),
    ...k6Outputs.flatMap((output) => ["--out", output]),
    ...[...tags].flatMap(([name, value]) => ["--tag", `${name}=${value}`]),
    ...k6Arguments,
  ];
}

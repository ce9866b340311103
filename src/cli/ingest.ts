/**
 * `plimsoll ingest [FILE|-]`: samples that k6 has written or is writing, live or years old.
 */
import { stat } from "node:fs/promises";
import process from "node:process";
import type { Readable } from "node:stream";
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { InputError, UsageError } from "../errors.ts";
import { HealthMonitor } from "../generate/health-monitor.ts";
import { JsonLinesReader, type LineProblem } from "../sample/json-lines.ts";
import { openInput } from "../sample/open-input.ts";
import type { SampleSink } from "../sample/sample.ts";
import { dryRun, toDryRunText } from "./dry-run.ts";
import { exitCodes } from "./exit-codes.ts";
import { formatBytes } from "./format.ts";
import { identify } from "../output/identify.ts";
import { isAllUsed } from "../output/run-account.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { LineProblems } from "./line-problems.ts";
import { loadSelfMetrics, startMetricsServer } from "./metrics-server.ts";
import { openOutputs, planOutputs } from "./open-outputs.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import { deliveryParts, Progress } from "./progress.ts";
import { expectReportPath, isComplete, showReport, toRunReport } from "./run-report.ts";
import type { RunIo } from "./run.ts";

/** A file is read no further while this much waits to be sent. */
const spoolPauseBytes = 32 * 2 ** 20;
const pauseMs = 20;
/** Samples in a pipe that begin earlier than this are not being made as they come. */
const liveWithinMs = 60_000;
/** What has no sample in so much of its beginning is not k6's, and is not read to its end. */
const headLimitBytes = 16 * 2 ** 20;

interface IngestFlags {
  readonly dryRun?: boolean;
  readonly follow?: boolean;
  readonly quiet?: boolean;
  readonly report?: string;
  readonly json?: boolean;
}

export interface IngestIo extends Omit<RunIo, "k6Arguments"> {
  readonly stdin: Readable;
}

export function ingestCommand(io: IngestIo): Command {
  const command = new Command("ingest")
    .description("send samples that k6 wrote with --out json, live or years old, to Prometheus")
    .argument("[file]", "k6's JSON lines: a file, plain or gzip, a named pipe, or - for stdin", "-")
    .option("-f, --follow", "read on when the file ends, for a file that k6 is still writing")
    .option("--dry-run", "show what would be sent, and send nothing")
    .option("--json", "with --dry-run: print one JSON object")
    .option("-q, --quiet", "no progress and no report; problems are still shown")
    .option("--report <file>", "write the report of the end as JSON");
  addOptionFlags(command, "run", "prometheus-rw");
  return command
    .addHelpText(
      "after",
      `
The same file makes the same series every time: its default testid is made of its name and its first sample's time.
A store takes old samples only if it is set to: Prometheus with out_of_order_time_window, Mimir with
out_of_order_time_window, VictoriaMetrics as it is.

Examples:
  plimsoll ingest results.json.gz --dry-run
  plimsoll ingest results.json --out prometheus-rw=http://prom:9090/api/v1/write --test checkout
  k6 run --out json=- --quiet --summary-mode=disabled script.js | plimsoll ingest -`,
    )
    .action(async (file: string, flags: IngestFlags) => {
      io.setExitCode(await ingest(command, io, file, flags));
    });
}

async function ingest(
  command: Command,
  io: IngestIo,
  file: string,
  flags: IngestFlags,
): Promise<number> {
  const { values: options } = resolveCommandOptions(command, io);
  const plan = planOutputs(options.out, false);
  if (flags.json === true && flags.dryRun !== true) {
    throw new UsageError("--json is for --dry-run; the report of an ingest is written by --report");
  }
  await expectReportPath(flags.report);
  const isPiped = file === "-" || (await isPipe(file));
  let progress: Progress | undefined;
  const log = (text: string): void => {
    if (progress) progress.log(text);
    else io.stderr.write(`${text}\n`);
  };
  let close = (): void => undefined;
  using interrupts = listenForInterrupts({
    onFirst: () => log("plimsoll: ending after what was read; Ctrl-C again leaves at once"),
    onSecond: () => close(),
  });
  const { signal } = interrupts;
  const input = openInput(file, { follow: flags.follow === true, signal, stdin: io.stdin });
  const problems = new LineProblems((text) => log(`plimsoll: ${file}, ${text}`));
  const onProblem = problems.add.bind(problems);
  const { head, firstMs, rest } = await readHead(input);
  if (firstMs === undefined && !signal.aborted) {
    throw noSample(file, head, onProblem);
  }
  // What an old file is piped through is as patient as the file.
  const isRecent = firstMs !== undefined && systemClock.nowMs() - firstMs < liveWithinMs;
  const isLive = flags.follow === true || (isPiped && isRecent);
  const { identity, tags } = identify(options, {
    source: file,
    startMs: firstMs ?? systemClock.nowMs(),
    suffix: "",
  });

  if (flags.dryRun === true) {
    const report = await dryRun(options, { identity, tags }, chunksOf(head, rest), onProblem);
    io.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : toDryRunText(report));
    return isAllUsed(report.samples) ? exitCodes.ok : exitCodes.incomplete;
  }

  using health = await HealthMonitor.start(process.pid);
  const outputs = await openOutputs(options, plan.jsonFiles, {
    identity,
    tags,
    generator: "k6",
    isLive,
    storesSelfMetrics: false,
    health,
    startMs: firstMs ?? systemClock.nowMs(),
    onNotice: (text) => log(`plimsoll: ${text}`),
  });
  const { prometheus } = outputs;
  close = () => log(`plimsoll: left at once; what was not sent is in ${prometheus.spoolDirectory}`);
  try {
    await using metrics = await startMetricsServer(
      options.metricsListen,
      () => loadSelfMetrics(prometheus),
      log,
    );
    void metrics;
    let bytes = 0;
    const parts = (): string[] => [
      `${formatBytes(bytes)} read`,
      ...deliveryParts(prometheus.progress, systemClock.nowMs()),
    ];
    progress = new Progress(io.stderr, parts, flags.quiet === true);
    const reader = new JsonLinesReader(outputs.sink, { onProblem });
    let failure: InputError | undefined;
    try {
      for await (const chunk of chunksOf(head, rest)) {
        reader.write(chunk);
        bytes += chunk.length;
        // A file can wait; a generator cannot.
        while (!isLive && !signal.aborted && prometheus.progress.spoolBytes > spoolPauseBytes) {
          await systemClock.sleep(pauseMs);
        }
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // What came before it is delivered and accounted for all the same.
      failure = error;
    }
    reader.end();
    const state = failure ? "aborted_by_system" : signal.aborted ? "aborted_by_user" : "finished";
    await prometheus.finish({ state, thresholds: [] });
    await outputs.close().catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      failure ??= error;
    });
    progress[Symbol.dispose]();
    const report = toRunReport(prometheus, { state, thresholds: [] });
    await showReport(report, io.stderr, flags);
    if (failure) throw failure;
    return isComplete(report) ? exitCodes.ok : exitCodes.incomplete;
  } catch (error) {
    await prometheus.close();
    throw error;
  } finally {
    progress?.[Symbol.dispose]();
  }
}

async function isPipe(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFIFO();
  } catch {
    // The reader reports a file that is not there.
    return false;
  }
}

/** Tells what was there in place of samples. */
function noSample(
  file: string,
  head: readonly Buffer[],
  onProblem: (problem: LineProblem) => void,
): InputError {
  const sink: SampleSink = { series: () => 0, sample: () => undefined, dropped: () => undefined };
  const reader = new JsonLinesReader(sink, { onProblem });
  for (const chunk of head) reader.write(chunk);
  reader.end();
  return new InputError(
    `${JSON.stringify(file)} holds no sample (lines read: ${reader.lines}); ` +
      "expected the JSON lines that k6 run --out json=FILE writes; nothing was sent",
  );
}

/** Reads until there is a sample: the run's id is made of its time. */
async function readHead(input: AsyncGenerator<Buffer>): Promise<{
  readonly head: readonly Buffer[];
  readonly firstMs: number | undefined;
  readonly rest: AsyncGenerator<Buffer>;
}> {
  const head: Buffer[] = [];
  let firstMs: number | undefined;
  const sink: SampleSink = {
    series: () => 0,
    sample: (_, timestampMs) => {
      firstMs ??= timestampMs;
    },
    dropped: () => undefined,
  };
  const reader = new JsonLinesReader(sink);
  let bytes = 0;
  while (firstMs === undefined && bytes < headLimitBytes) {
    const next = await input.next();
    if (next.done === true) break;
    // The chunk's buffer may be used again by whoever reads the file.
    const chunk = Buffer.from(next.value);
    head.push(chunk);
    bytes += chunk.length;
    reader.write(chunk);
  }
  if (firstMs === undefined) reader.end();
  return { head, firstMs, rest: input };
}

async function* chunksOf(
  head: readonly Buffer[],
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  yield* head;
  yield* rest;
}

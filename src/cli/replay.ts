/**
 * `plimsoll replay [RUN|FOLDER…]`: shows what runs have left in the spool, and sends it.
 */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import type { Options } from "../config/options.ts";
import { PlimsollError, ReceiverError, UsageError } from "../errors.ts";
import { createClient } from "../output/create-client.ts";
import { describeDamage, isFor } from "../output/leftovers.ts";
import { Replay } from "../output/replay.ts";
import { inspectSpool, listSpools, type SpoolListing } from "../spool/list-spools.ts";
import { RunSpool } from "../spool/run-spool.ts";
import { chooseSpools, displayUrlOf } from "./choose-spools.ts";
import { exitCodeByError, exitCodes } from "./exit-codes.ts";
import { formatCount } from "./format.ts";
import { listenForInterrupts } from "./interrupts.ts";
import { planOutputs } from "./open-outputs.ts";
import { addOptionFlags, resolveCommandOptions } from "./option-flags.ts";
import { Progress, receiverParts } from "./progress.ts";
import type { RunIo } from "./run.ts";
import {
  type SentReport,
  toSentReport,
  toSentText,
  toSpoolReport,
  toSpoolTable,
} from "./spool-report.ts";
import { userAgent } from "../version.ts";

interface ReplayFlags {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly discard?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export type ReplayIo = Omit<RunIo, "k6Arguments">;

export function replayCommand(io: ReplayIo): Command {
  const command = new Command("replay")
    .description("show what runs have left in the spool, and send it")
    .argument("[run|folder...]", "what to send: the ids of runs, or folders (default: only show)")
    .option("-a, --all", "send all that was going to this receiver")
    .option("--dry-run", "show what would be sent, and send nothing")
    .option("--discard", "remove it instead of sending it")
    .option("--json", "print one JSON object")
    .option("-q, --quiet", "no progress and no report; problems are still shown");
  addOptionFlags(command, "out", "prometheus-rw");
  return command
    .addHelpText(
      "after",
      `
Requests go to the receiver of these options, with the credentials of these options: the spool holds neither. A run
that was going to another receiver is sent only if this one is named by a flag.

Examples:
  plimsoll replay
  plimsoll replay --all --out prometheus-rw=http://prom:9090/api/v1/write
  plimsoll replay checkout-20261122T051500-7f3a`,
    )
    .action(async (names: readonly string[], flags: ReplayFlags) => {
      io.setExitCode(await replay(command, io, names, flags));
    });
}

async function replay(
  command: Command,
  io: ReplayIo,
  names: readonly string[],
  flags: ReplayFlags,
): Promise<number> {
  const flagOut = (command.getOptionValue("out") ?? []) as readonly string[];
  const plan = planOutputs(flagOut, false);
  if (plan.jsonFiles.length > 0) throw new UsageError("replay sends to prometheus-rw only");
  const { values: options, sources } = resolveCommandOptions(command, io);
  const isChosen = names.length > 0 || flags.all === true;
  if (names.length > 0 && flags.all === true) {
    throw new UsageError("--all sends everything; name runs, or give --all");
  }
  if (!isChosen && (flags.dryRun === true || flags.discard === true)) {
    throw new UsageError("name what is meant: runs, folders, or --all");
  }
  const listings = await listSpools(options.spoolDir);
  const log = (text: string): void => void io.stderr.write(`plimsoll: ${text}\n`);
  const showList = (shown: readonly SpoolListing[]): void => {
    if (flags.json === true) {
      const spools = shown.map(toSpoolReport);
      io.stdout.write(`${JSON.stringify({ spoolDir: options.spoolDir, spools })}\n`);
    } else if (shown.length > 0) {
      io.stdout.write(toSpoolTable(shown));
    }
  };

  if (!isChosen) {
    const shown = listings.filter(isWorthShowing);
    showList(shown);
    if (shown.length === 0) log(`nothing waits in ${options.spoolDir}`);
    else log('to send it: "plimsoll replay RUN" or "plimsoll replay --all"');
    return exitCodes.ok;
  }
  const chosen =
    flags.all === true
      ? chooseAll(listings, options, log)
      : await chooseSpools(names, listings, options, sources.url.kind === "flag");
  if (flags.dryRun === true) {
    showList(chosen);
    log(`nothing was sent; without --dry-run it goes to ${displayUrlOf(options.url)}`);
    return exitCodes.ok;
  }
  if (chosen.length === 0) {
    showList([]);
    log(`nothing waits for ${displayUrlOf(options.url)} in ${options.spoolDir}`);
    return exitCodes.ok;
  }
  if (flags.discard === true) return await discardAll(chosen, flags, log);
  return await sendAll(chosen, options, io, flags);
}

/** A killed process may leave a folder in which all is acknowledged; the next replay removes it. */
function isWorthShowing(listing: SpoolListing): boolean {
  return (
    listing.pending.batches > 0 ||
    listing.corruptRecords > 0 ||
    listing.problem !== undefined ||
    listing.ownerPid !== undefined
  );
}

function chooseAll(
  listings: readonly SpoolListing[],
  { url }: Options,
  log: (text: string) => void,
): SpoolListing[] {
  const left = listings.filter(({ ownerPid }) => ownerPid === undefined);
  const chosen = left.filter((listing) => isFor(listing, url) || listing.problem !== undefined);
  const others = left.filter((listing) => !chosen.includes(listing) && isWorthShowing(listing));
  if (others.length > 0) {
    const urls = new Set(others.map(({ manifest }) => manifest?.url ?? "an unknown receiver"));
    log(
      `${others.length} of other receivers stay: ${[...urls].join(", ")}; ` +
        "name theirs with --out prometheus-rw=URL",
    );
  }
  return chosen;
}

/**
 * The spool as it is now: since it was listed, another process may have taken, sent or removed it. `undefined` where
 * it is not ours to deal with any more.
 */
async function lookAgain(
  { directory }: SpoolListing,
  { all }: ReplayFlags,
  log: (text: string) => void,
): Promise<SpoolListing | undefined> {
  const now = await inspectSpool(directory);
  if (now === undefined) log(`${directory} is gone: another process has sent or removed it`);
  // One that was named is refused when it is opened.
  else if (all !== true || now.ownerPid === undefined) return now;
  else log(`${directory} is in use by process ${now.ownerPid} now`);
  return undefined;
}

async function discardAll(
  chosen: readonly SpoolListing[],
  flags: ReplayFlags,
  log: (text: string) => void,
): Promise<number> {
  let exitCode: number = exitCodes.ok;
  for (const listed of chosen) {
    try {
      const listing = await lookAgain(listed, flags, log);
      if (listing === undefined) continue;
      await using spool = await RunSpool.open(listing.directory, { onNotice: log });
      const { batches, samples, histograms } = spool.discard();
      log(
        `removed ${listing.directory}: ${formatCount(batches)} requests with ` +
          `${formatCount(samples + histograms)} points that no receiver has`,
      );
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      log(error.message);
      exitCode = exitCodeByError[error.code];
    }
  }
  return exitCode;
}

/** One after the other, the oldest first. What cannot be used is passed over, and makes the exit code. */
async function sendAll(
  chosen: readonly SpoolListing[],
  options: Options,
  io: ReplayIo,
  flags: ReplayFlags,
): Promise<number> {
  const reports: SentReport[] = [];
  let exitCode: number = exitCodes.ok;
  let progress: Progress | undefined;
  const log = (text: string): void => {
    const line = `plimsoll: ${text}`;
    if (progress) progress.log(line);
    else io.stderr.write(`${line}\n`);
  };
  using interrupts = listenForInterrupts({
    onFirst: () =>
      log("stopping; what is not sent stays in the spool; Ctrl-C again leaves at once"),
    onSecond: () => undefined,
  });
  const { signal } = interrupts;
  const told = new Set<string>();
  const logOnce = (text: string): void => {
    if (!told.has(text)) log(text);
    told.add(text);
  };
  for (const listed of chosen) {
    if (signal.aborted) {
      if (exitCode === exitCodes.ok) exitCode = exitCodes.incomplete;
      break;
    }
    try {
      const listing = await lookAgain(listed, flags, log);
      if (listing === undefined) continue;
      await using spool = await RunSpool.open(listing.directory, { onNotice: log });
      await using client = await createClient(
        { ...options, queues: spool.queues.length },
        { clock: systemClock, userAgent, onNotice: logOnce },
      );
      for (const notice of describeDamage(spool)) log(notice);
      await using sending = new Replay({
        spool,
        client,
        clock: systemClock,
        random: Math.random,
        sampleAgeLimitMs: options.sampleAgeLimitMs,
        patienceMs: options.drainTimeoutMs,
        onNotice: log,
      });
      const parts = (): string[] => {
        const { points, state } = sending.progress;
        return [
          toSpoolReport(listing).testid,
          ...receiverParts({ state }, systemClock.nowMs()),
          `${formatCount(points.pending)} pending`,
          `${formatCount(points.delivered)} of ${formatCount(points.recovered)} points delivered`,
        ];
      };
      progress = new Progress(io.stderr, parts, flags.quiet === true);
      try {
        await sending.send(signal);
      } finally {
        progress[Symbol.dispose]();
        progress = undefined;
        const report = toSentReport(listing, client.displayUrl, sending.progress);
        reports.push(report);
        const isComplete = report.delivered === report.points && report.corruptRequests === 0;
        if (!isComplete && exitCode === exitCodes.ok) exitCode = exitCodes.incomplete;
        if (flags.quiet !== true || !isComplete) io.stderr.write(toSentText(report));
      }
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      log(error.message);
      exitCode = exitCodeByError[error.code];
      // It would refuse the next one as well.
      if (error instanceof ReceiverError) break;
    }
  }
  if (flags.json === true) io.stdout.write(`${JSON.stringify({ spools: reports })}\n`);
  return exitCode;
}

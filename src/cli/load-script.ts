/**
 * Load from a script: k6 as a child process.
 */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import type { Environment } from "../config/option-row.ts";
import { messageOf, UsageError } from "../errors.ts";
import { expectScript, findK6, type K6, type K6Process, startK6 } from "../generate/k6.ts";
import { isThresholdAbort, runStateOf } from "../generate/k6-exit.ts";
import { thresholdsOf } from "../generate/k6-thresholds.ts";
import { countsOf } from "../generate/reconcile.ts";
import {
  type K6SamplesChoice,
  refusesBuckets,
  isLogHeard,
  whyLines,
  whyNoBuckets,
} from "../generate/k6-samples.ts";
import { scriptSources } from "../generate/script-sources.ts";
import { type K6Feed, openBucketsFeed, openLinesFeed } from "./k6-feed.ts";
import type { Load, LoadContext, LoadEnd } from "./load.ts";

export interface ScriptLoadOptions {
  readonly script: string;
  /** Flags for `k6 run`, in the user's order. */
  readonly args: readonly string[];
  /** Where k6 is, if not on PATH. */
  readonly k6: string | undefined;
  readonly env: Environment;
  readonly samples: K6SamplesChoice;
  readonly pushIntervalMs: number;
}

/** @throws GeneratorError if there is no such script, or no k6 */
export async function prepareScriptLoad(options: ScriptLoadOptions): Promise<Load> {
  const { script, env } = options;
  await expectScript(script);
  const k6 = await findK6({ path: options.k6, env });
  return new ScriptLoad(k6, options);
}

class ScriptLoad implements Load {
  readonly generator: string;
  readonly #k6: K6;
  readonly #options: ScriptLoadOptions;
  #process: K6Process | undefined;
  #folder: string | undefined;

  constructor(k6: K6, options: ScriptLoadOptions) {
    this.#k6 = k6;
    this.#options = options;
    this.generator = `k6/${k6.version}`;
  }

  async run(context: LoadContext): Promise<LoadEnd> {
    const folder = await mkdtemp(join(tmpdir(), "plimsoll-"));
    this.#folder = folder;
    try {
      await using feed = await this.#openFeed(folder, context);
      let isRefused = false;
      const isTriedAgain = (): boolean =>
        this.#options.samples === "auto" && isRefused && !feed.isInUse;
      const attempt = {
        ...context,
        onLoadOver: () => {
          if (!isTriedAgain()) context.onLoadOver();
        },
      };
      const end = await this.#runWith(feed, folder, attempt, (line) => {
        isRefused ||= refusesBuckets(line);
      });
      if (!isTriedAgain()) return end;
      context.log("plimsoll: reading every sample of this script by itself instead");
      await using lines = await openLinesFeed(folder, context.sink, context.log);
      return await this.#runWith(lines, folder, context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  kill(): void {
    // `stop` asks first and kills then.
    this.#process?.stop();
    this.#process?.stop();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #openFeed(folder: string, { sink, buckets, log, isClassic }: LoadContext): Promise<K6Feed> {
    const { script, samples, args, env, pushIntervalMs } = this.#options;
    if (samples === "lines") return await openLinesFeed(folder, sink, log);
    const obstacle = whyNoBuckets({ args, env, pushIntervalMs });
    if (samples === "buckets" && obstacle !== undefined) {
      throw new UsageError(`--k6-samples buckets is not possible in this run: ${obstacle}`);
    }
    const arePreferred = async (): Promise<boolean> =>
      samples === "buckets" ||
      (isLogHeard({ args, env }) && whyLines(await scriptSources(script), isClassic) === undefined);
    if (obstacle === undefined && (await arePreferred())) {
      return await openBucketsFeed(buckets, { args, env, clock: systemClock, log });
    }
    return await openLinesFeed(folder, sink, log);
  }

  async #runWith(
    feed: K6Feed,
    folder: string,
    { signal, log, onProcess, onLoadOver }: LoadContext,
    onLogLine: (line: string) => void = () => undefined,
  ): Promise<LoadEnd> {
    let wasThresholdAbort = false;
    const k6 = await startK6({
      ...this.#options,
      k6: this.#k6,
      samples: feed.samples,
      summaryPath: join(folder, "summary.json"),
      stdout: "inherit",
      onLogLine: (line) => {
        wasThresholdAbort ||= isThresholdAbort(line);
        onLogLine(line);
        log(line);
      },
    });
    this.#process = k6;
    onProcess("k6", k6.pid);
    const stop = (): void => k6.stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // A k6 that never begins to hand over samples ends them by ending itself.
    const exited = k6.exited.finally(() => feed.release());
    await feed.read();
    onLoadOver();
    const exit = await exited;
    signal.removeEventListener("abort", stop);
    const summary = await k6.summary().catch((error: unknown) => {
      // The samples are what counts; without the summary they are only not compared.
      log(`plimsoll: ${messageOf(error)}`);
      return undefined;
    });
    return {
      state: runStateOf(exit, { wasInterrupted: signal.aborted, wasThresholdAbort }),
      thresholds: thresholdsOf(summary),
      exitCode: exit.code ?? signalExitCode(exit.signal),
      counts: summary && countsOf(summary),
    };
  }
}

/** As shells do: 137 tells that something killed k6, e.g. for want of memory. */
function signalExitCode(signal: string | null): number {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal ?? ""] ?? 0);
}
